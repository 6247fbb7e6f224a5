package nova

import (
	"cmp"
	"strconv"
	"strings"
)

// Format returns a cell's DSN whose placeholders are replaced by parts of another DSN, Nova's own [database]connection, by
// the rules of nova/objects/cell_mapping.py: {username}, {password}, {hostname}, {port}, {scheme}, {path} without its
// slash, {query}, {fragment}, and {username1} and so on if the other DSN lists several hosts. A part that is missing becomes
// the word None. A template with a placeholder that can't be replaced is returned unchanged: a brace may be part of a
// password.
func Format(template, from string) string {
	if from == "" {
		return template
	}
	parts, ok := split(from)
	if !ok {
		return template
	}
	var out strings.Builder
	for rest := template; rest != ""; {
		i := strings.IndexAny(rest, "{}")
		if i < 0 {
			out.WriteString(rest)
			break
		}
		out.WriteString(rest[:i])
		if i+1 < len(rest) && rest[i+1] == rest[i] { // A doubled brace stands for one brace.
			out.WriteByte(rest[i])
			rest = rest[i+2:]
			continue
		}
		name, after, closed := strings.Cut(rest[i+1:], "}")
		part, known := parts[name]
		if rest[i] == '}' || !closed || !known {
			return template
		}
		out.WriteString(part)
		rest = after
	}
	return out.String()
}

// Extend appends parameters to a DSN that is a URL, as oslo.db appends its connection_parameters.
func Extend(dsn, parameters string) string {
	switch {
	case dsn == "" || parameters == "":
		return dsn
	case strings.Contains(dsn, "?"):
		return dsn + "&" + parameters
	default:
		return dsn + "?" + parameters
	}
}

// none is how Python writes a missing value.
const none = "None"

// split splits a DSN as Python's urllib does, without decoding escapes.
func split(dsn string) (parts map[string]string, ok bool) {
	rest, fragment, _ := strings.Cut(dsn, "#")
	rest, query, _ := strings.Cut(rest, "?")
	scheme, rest, _ := strings.Cut(rest, ":")
	netloc, path := "", rest
	if after, found := strings.CutPrefix(rest, "//"); found {
		netloc, path, _ = strings.Cut(after, "/")
	}
	parts = map[string]string{
		"scheme": strings.ToLower(scheme), "query": query, "fragment": fragment, "path": strings.TrimLeft(path, "/"),
		"username": none, "password": none, "hostname": none,
	}
	address := netloc
	if i := strings.LastIndexByte(netloc, '@'); i >= 0 {
		address = netloc[i+1:]
		parts["username"], parts["password"] = cutUser(netloc[:i])
	}
	host, port := cutHost(address)
	if name, _, _ := strings.Cut(host, "%"); host != "" {
		parts["hostname"] = strings.ToLower(name) + host[len(name):]
	}
	if parts["port"], ok = number(port, 16); !ok {
		return nil, false
	}
	return parts, addHosts(parts, netloc)
}

// addHosts adds the numbered parts if the DSN lists several hosts.
func addHosts(parts map[string]string, netloc string) bool {
	if !strings.Contains(netloc, ",") {
		return true
	}
	for i, one := range strings.Split(netloc, ",") {
		n := strconv.Itoa(i + 1)
		user, address, found := strings.Cut(one, "@")
		if !found {
			user, address = "", one
		}
		parts["username"+n], parts["password"+n] = cutUser(user)
		host, port := address, ""
		if strings.HasPrefix(address, "[") || strings.Count(address, ":") == 1 {
			host, port = cutHost(address)
		}
		var ok bool
		if parts["port"+n], ok = number(port, 64); !ok || host+":" == address {
			return false
		}
		parts["hostname"+n] = cmp.Or(host, none)
	}
	return true
}

func cutUser(s string) (user, password string) {
	user, password, found := strings.Cut(s, ":")
	if !found {
		password = none
	}
	return user, password
}

// cutHost splits host:port or [IPv6]:port.
func cutHost(address string) (host, port string) {
	if _, inner, found := strings.Cut(address, "["); found {
		host, rest, _ := strings.Cut(inner, "]")
		_, port, _ = strings.Cut(rest, ":")
		return host, port
	}
	host, port, _ = strings.Cut(address, ":")
	return host, port
}

// number returns a port as Python writes it after parsing it: without leading zeros.
func number(port string, bits int) (string, bool) {
	if port == "" {
		return none, true
	}
	n, err := strconv.ParseUint(port, 10, bits)
	return strconv.FormatUint(n, 10), err == nil
}
