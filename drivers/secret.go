package drivers

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"unique"
)

// maxSecret is the maximum size of a secret's file, in bytes.
const maxSecret = 64 << 10

// A Secret is text that is never printed, logged or written: only Read reveals it. It is a text, or a file that is read each
// time, so that it may change while the program runs. The zero value means that there is no secret. Two secrets are equal if they name the
// same file, if any, and had the same text when they were made.
//
// The text is behind a handle, so that code which prints unexported fields, as fmt does, prints only a number.
type Secret struct {
	text unique.Handle[string] // of a file, its first content
	file string
}

// SecretText returns the secret with a text. For the empty text it returns the zero value.
func SecretText(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: unique.Make(text)}
}

// SecretFile returns the secret in a file, which is read once now.
func SecretFile(path string) (Secret, error) {
	text, err := readSecret(path)
	if err != nil {
		return Secret{}, err
	}
	return Secret{text: unique.Make(text), file: path}, nil
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s == Secret{} }

// Read returns the current text, which is empty for no secret. One newline at the end of a file and a byte order mark at its start are removed. An empty file is
// an error: it is being written, or was not mounted. No error shows the secret.
func (s Secret) Read() (string, error) {
	switch {
	case s.IsZero():
		return "", nil
	case s.file == "":
		return s.text.Value(), nil
	}
	return readSecret(s.file)
}

func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxSecret {
		return "", fmt.Errorf("%s is larger than %d bytes", path, maxSecret)
	}
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return "", errors.New(path + " is UTF-16 text: save it as UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // the byte order mark of Windows' editors
	content := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if content == "" {
		return "", errors.New(path + " is empty")
	}
	return content, nil
}

// Sum returns a hash that is equal for equal secrets.
func (s Secret) Sum() [sha256.Size]byte {
	if s.IsZero() {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256([]byte(s.file + "\x00" + s.text.Value()))
}

const hidden = "<secret>"

// String hides the secret.
func (s Secret) String() string { return hidden }

// Format hides the secret from every verb of fmt.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// UnmarshalText sets the secret to a text.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = SecretText(string(text))
	return nil
}

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
