package drivers

import (
	"context"
	"fmt"
	"math/rand/v2"
)

// GetAll gives the names of the live members of a group, in the order of the poll, as Nova's get_all does. A group that
// has none, or that is not there, gives none.
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

// GetOne gives the name of a random live member of a group, as Nova's get_one does, or an error that wraps
// [ErrNoMember] when nobody is alive.
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

// IsUp gives the verdict for one member, as Nova's service_is_up does: forced_down first. The error wraps
// [ErrNoMember] when the group has no such member, and [ErrUnavailable] when the poll could say nothing of it.
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
			return false, fmt.Errorf("group %q, member %q is unknown for now: %w", group, name, ErrUnavailable)
		}
	}
	return false, fmt.Errorf("group %q, member %q: %w", group, name, ErrNoMember)
}
