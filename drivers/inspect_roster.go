package drivers

import "context"

// InspectRoster reads the roster of another driver, and returns findings about it. Their subjects begin with "roster".
func InspectRoster(ctx context.Context, roster Driver) []Finding {
	const subject = "roster"
	var findings []Finding
	poll, err := roster.Members(ctx)
	switch {
	case err != nil:
		findings = []Finding{Failure(subject, "the roster can't be read ("+string(ReasonOf(err))+"): "+err.Error(), "")}
	case len(poll.Members) == 0:
		findings = []Finding{Warning(subject, "the roster lists no members, so that there is nothing to look for",
			"check its settings: members come from there alone")}
	default:
		findings = []Finding{OK(subject, "the roster lists %d members", len(poll.Members))}
	}
	if inspector, ok := roster.(Inspector); ok {
		for _, f := range inspector.Inspect(ctx) {
			f.Subject = subject + " " + f.Subject
			findings = append(findings, f)
		}
	}
	return findings
}
