package drivers

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"unique"
)

// maxSecret bounds what is read as a secret, in bytes.
const maxSecret = 64 << 10

// A Secret is text that is never printed, logged or written: only Read reveals it. It is given as it is, or as a file that
// is read each time, so that it may change while the program runs. The zero value is no secret. Two are equal when they
// name the same file, if any, and had the same text when they were made.
//
// The text is behind a handle: what prints memory without asking, as fmt does with unexported fields, finds a number.
type Secret struct {
	text unique.Handle[string] // of a file, what it held at first
	file string
}

// SecretText makes a secret of its text; the empty text is no secret.
func SecretText(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: unique.Make(text)}
}

// SecretFile makes a secret of the path of the file that holds it, which is read once now.
func SecretFile(path string) (Secret, error) {
	text, err := readSecret(path)
	if err != nil {
		return Secret{}, err
	}
	return Secret{text: unique.Make(text), file: path}, nil
}

// IsZero says whether there is no secret.
func (s Secret) IsZero() bool { return s == Secret{} }

// Read reveals the secret as it is now; no secret is the empty text. Of a file's content one newline at the end is removed.
// An empty file is an error: it is one that is being written just now, or was not mounted. No error shows the secret.
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
	content := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if content == "" {
		return "", errors.New(path + " is empty")
	}
	return content, nil
}

// Sum is equal for equal secrets. It is a hash, which hides them.
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

// UnmarshalText takes the secret as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = SecretText(string(text))
	return nil
}

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
