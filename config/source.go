package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
	"servicegroup_exporter/drivers/mc"
	"servicegroup_exporter/drivers/nova"
	"servicegroup_exporter/drivers/zk"
)

// A section is a driver's own part of a source. Its errors join [drivers.FieldError]s.
type section interface{ Validate() error }

// sections gives the section of every driver there is, nil where the source has none.
func (s *Source) sections() map[string]section {
	all := map[string]section{"db": nil, "mc": nil, "zk": nil}
	if s.DB != nil {
		all["db"] = s.DB
	}
	if s.MC != nil {
		all["mc"] = s.MC
	}
	if s.ZK != nil {
		all["zk"] = s.ZK
	}
	return all
}

// Open makes the driver of a source that is not to be expanded. It connects to nothing yet.
func (s *Source) Open(logger *slog.Logger) (drivers.Driver, error) {
	switch s.Driver {
	case "db":
		if s.cloud != nil {
			return s.openNova(logger)
		}
		return opened(db.Open(*s.DB, logger))
	case "mc":
		roster, err := s.Roster.open(logger)
		if err != nil {
			return nil, fmt.Errorf("opening the roster: %w", err)
		}
		return opened(mc.Open(*s.MC, roster, logger))
	case "zk":
		driver, err := opened(zk.Open(*s.ZK, logger))
		if err != nil || s.Roster == nil {
			return driver, err
		}
		roster, err := s.Roster.open(logger)
		if err != nil {
			return nil, errors.Join(err, driver.Close())
		}
		return nova.WithLiveness(roster, driver), nil
	}
	return nil, fmt.Errorf("there is no driver %q", s.Driver)
}

// openNova opens the API database of a cloud, or one of its cells.
func (s *Source) openNova(logger *slog.Logger) (drivers.Driver, error) {
	if s.api {
		return opened(s.cloud.Open(logger))
	}
	cell, err := db.Open(*s.DB, logger)
	if err != nil {
		return nova.Broken(err), nil
	}
	return s.cloud.Zoned(cell), nil
}

// opened keeps a nil driver of some type from becoming a driver that is not nil.
func opened[D drivers.Driver](d D, err error) (drivers.Driver, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Fingerprint is equal for two sources exactly when all their settings are, the content of secrets included, and those of
// the source that is the roster, and whether it is one itself. It is a hash, which hides them.
func (s *Source) Fingerprint() string {
	hash := sha256.New()
	write(hash, "", reflectOf(s))
	if s.Roster != nil && s.Roster.of != nil {
		write(hash, "roster", reflectOf(s.Roster.of))
	}
	if s.nova != nil {
		write(hash, "nova", reflectOf(s.nova))
	}
	if s.cloud != nil {
		fmt.Fprintf(hash, "cloud=%s", s.cloud.fingerprint)
	}
	fmt.Fprintf(hash, "service=%s", s.Service())
	return hex.EncodeToString(hash.Sum(nil))
}

// Fingerprint is equal for two sections, which section points to, exactly when all their settings are, the content of
// secrets included. It is a hash, which hides them.
func Fingerprint(section any) string {
	hash := sha256.New()
	write(hash, "", reflectOf(section))
	return hex.EncodeToString(hash.Sum(nil))
}

// write writes every setting in v, with its path.
func write(w io.Writer, path string, v reflect.Value) {
	if secret, ok := reflect.TypeAssert[drivers.Secret](v); ok {
		fmt.Fprintf(w, "%s=%x\n", path, secret.Sum())
		return
	}
	if isValue(v) {
		fmt.Fprintf(w, "%s=%v\n", path, v)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			write(w, path, v.Elem())
		}
	case reflect.Struct:
		fmt.Fprintf(w, "%s{}\n", path)
		if names, ok := namesOf(v); ok {
			write(w, path, names)
		}
		for name, field := range fieldsOf(v) {
			write(w, join(path, name), field.Value)
		}
	case reflect.Slice:
		for i := range v.Len() {
			write(w, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Map:
		for _, key := range sortedKeys(v) {
			write(w, fmt.Sprintf("%s[%q]", path, key), v.MapIndex(key))
		}
	case reflect.String:
		// Text is written as it is: the String method of a secret hides it.
		fmt.Fprintf(w, "%s=%q\n", path, v.String())
	default:
		fmt.Fprintf(w, "%s=%v\n", path, v)
	}
}
