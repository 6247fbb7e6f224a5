package config

// Service names the system whose services a source's members are, by the schema of the table that they are in: as "nova".
// It is empty where there is no such table, and where another source has this one for its roster: then what this one says
// of them is not the verdict that counts.
func (s *Source) Service() string {
	if s.isRoster {
		return ""
	}
	return s.table()
}

// table is the schema of the table that says who the members are, whoever says that they are up.
func (s *Source) table() string {
	switch {
	case s.DB != nil:
		return s.DB.Schema
	case s.Roster == nil:
		return ""
	case s.Roster.DB != nil:
		return s.Roster.DB.Schema
	case s.Roster.of != nil:
		return s.Roster.of.table()
	}
	return ""
}
