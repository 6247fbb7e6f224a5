package alertmanager

import (
	"fmt"
	"io"
	"os"
	"strings"

	promconfig "github.com/prometheus/common/config"
)

// checkSecretFiles refuses a file with a secret that begins with the mark which editors on Windows write before a text. The HTTP client of
// Prometheus would send it with the secret, and the answer would be that the password is wrong. A file that can't be read now
// may be there for the next request.
func checkSecretFiles(c *promconfig.HTTPClientConfig) error {
	for _, file := range secretFiles(c) {
		f, err := os.Open(file)
		if err != nil {
			continue
		}
		start := make([]byte, 3)
		n, _ := io.ReadFull(f, start)
		_ = f.Close()
		for _, mark := range []string{"\ufeff", "\xff\xfe", "\xfe\xff"} {
			if strings.HasPrefix(string(start[:n]), mark) {
				return fmt.Errorf("%s begins with a byte order mark, which would be sent with the secret: save it as UTF-8 without one", file)
			}
		}
	}
	return nil
}

// secretFiles returns the files whose text becomes a part of requests.
func secretFiles(c *promconfig.HTTPClientConfig) []string {
	var files []string
	if c.BasicAuth != nil {
		files = append(files, c.BasicAuth.UsernameFile, c.BasicAuth.PasswordFile)
	}
	if c.Authorization != nil {
		files = append(files, c.Authorization.CredentialsFile)
	}
	if c.OAuth2 != nil {
		files = append(files, c.OAuth2.ClientSecretFile)
	}
	if c.HTTPHeaders != nil {
		for _, header := range c.HTTPHeaders.Headers {
			files = append(files, header.Files...)
		}
	}
	return files
}
