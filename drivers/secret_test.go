package drivers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte("hunter2\n"), 0o600))
	ofFile, err := SecretFile(file)
	require.NoError(t, err)
	for _, s := range []Secret{SecretText("hunter2"), ofFile} {
		var out bytes.Buffer
		unexported := struct{ s Secret }{s}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p"} {
			fmt.Fprintf(&out, verb+" "+verb+" "+verb+"\n", s, &s, unexported)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("message", "secret", s, "struct", unexported)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("message", "secret", s, "struct", struct{ S Secret }{s})
		text, err := json.Marshal(map[string]any{"secret": s})
		require.NoError(t, err)
		out.Write(text)
		out.WriteString(s.String())
		require.NotContains(t, out.String(), "hunter2")
		require.NotContains(t, out.String(), "68756e74657232", "in hexadecimal")
		require.Contains(t, out.String(), hidden)

		text2, err := s.Read()
		require.NoError(t, err)
		require.Equal(t, "hunter2", text2)
	}
}

func TestSecretOfFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	_, err := SecretFile(file)
	require.ErrorIs(t, err, os.ErrNotExist)
	write("one\n")
	one, err := SecretFile(file)
	require.NoError(t, err)
	same, err := SecretFile(file)
	require.NoError(t, err)
	require.Equal(t, one, same)
	require.Equal(t, one.Sum(), same.Sum())

	write("two\r\n")
	text, err := one.Read()
	require.NoError(t, err)
	require.Equal(t, "two", text, "the file is read again")
	two, err := SecretFile(file)
	require.NoError(t, err)
	require.NotEqual(t, one, two, "they differ because the content differed")
	require.NotEqual(t, one.Sum(), two.Sum())
	require.NotEqual(t, two.Sum(), SecretText("two").Sum())

	write("\n")
	_, err = one.Read()
	require.EqualError(t, err, file+" is empty")
}

func TestNoSecret(t *testing.T) {
	require.True(t, SecretText("").IsZero())
	require.Equal(t, Secret{}.Sum(), SecretText("").Sum())
	require.False(t, SecretText("x").IsZero())
	text, err := Secret{}.Read()
	require.NoError(t, err)
	require.Empty(t, text)
}

// A byte order mark, as editors on Windows write it, is not part of the secret.
func TestSecretWithByteOrderMark(t *testing.T) {
	for text, want := range map[string]string{
		"\ufeffhunter2\r\n": "hunter2", "\ufeffhunter2": "hunter2", "hunter2\ufeff": "hunter2\ufeff", "h\ufeff\n": "h\ufeff",
	} {
		file := filepath.Join(t.TempDir(), "secret")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		secret, err := SecretFile(file)
		require.NoError(t, err)
		got, err := secret.Read()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"\xff\xfeh\x00", "\xfe\xff\x00h", "\ufeff", "\ufeff\n"} {
		file := filepath.Join(t.TempDir(), "secret")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := SecretFile(file)
		require.Error(t, err, "%q", text)
		require.NotContains(t, err.Error(), "h\x00")
	}
}
