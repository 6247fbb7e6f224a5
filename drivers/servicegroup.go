package drivers

import (
	"context"
	"fmt"
	"math/rand/v2"
)

// GetAll returns the names of the live members of a group, in the order of the poll, as Nova's get_all does. For a group
// that does not exist it returns none.
func GetAll(ctx context.Context, d Driver, group string) ([]string, error) {
	poll, err := d.Members(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range poll.Members {
		if m := &poll.Members[i]; m.Up && m.Group == group {
			names = append(names, m.Name)
		}
	}
	return names, nil
}

// GetOne returns the name of a random live member of a group, as Nova's get_one does, or an error that wraps [ErrNoMember]
// if there is none.
func GetOne(ctx context.Context, d Driver, group string) (string, error) {
	names, err := GetAll(ctx, d, group)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", fmt.Errorf("group %q has no live member: %w", group, ErrNoMember)
	}
	return names[rand.IntN(len(names))], nil
}

// IsUp reports whether one member is up, as Nova's service_is_up does. The error wraps [ErrNoMember] if the group has no such
// member, and [ErrUnavailable] if the member is unknown.
func IsUp(ctx context.Context, d Driver, group, name string) (bool, error) {
	poll, err := d.Members(ctx)
	if err != nil {
		return false, err
	}
	for i := range poll.Members {
		if m := &poll.Members[i]; m.Group == group && m.Name == name {
			return m.Up, nil
		}
	}
	for i := range poll.Unknown {
		if m := &poll.Unknown[i]; m.Group == group && m.Name == name {
			return false, fmt.Errorf("group %q, member %q is unknown: %w", group, name, ErrUnavailable)
		}
	}
	return false, fmt.Errorf("group %q, member %q: %w", group, name, ErrNoMember)
}
