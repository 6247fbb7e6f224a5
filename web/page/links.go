package page

import (
	"net/url"
	"strconv"
	"strings"
)

// pageSize is how many rows a page of a list has, as in select.js.
const pageSize = 50

// A link is an address with its text.
type link struct{ Address, Text string }

// A sortLink is the link in the head of a column. A second use of it turns the order.
type sortLink struct {
	link
	Order string // the value of aria-sort; empty: the list has another order
}

// pageLinks are the addresses of other pages of a list; empty: there is none.
type pageLinks struct{ Previous, Next, Begin string }

// linksTo returns a function that returns the address of a list with one other parameter. The other parameters stay, except that
// any change leads to the first page.
func linksTo(path string, q url.Values, known ...string) func(name, value string) string {
	return func(name, value string) string {
		next := url.Values{}
		for _, parameter := range known {
			if text := q.Get(parameter); text != "" {
				next.Set(parameter, text)
			}
		}
		next.Del("page")
		if next.Del(name); value != "" {
			next.Set(name, value)
		}
		if len(next) == 0 {
			return path
		}
		return path + "?" + next.Encode()
	}
}

// paged returns which rows of a list are on the page that a query asks for, and the links to the others.
func paged(rows int, q url.Values, to func(name, value string) string) (first, last int, links pageLinks) {
	pages := max(1, (rows+pageSize-1)/pageSize)
	n, _ := strconv.Atoi(q.Get("page"))
	n = min(max(1, n), pages)
	if n > 1 {
		links.Begin, links.Previous = to("page", "1"), to("page", strconv.Itoa(n-1))
	}
	if n < pages {
		links.Next = to("page", strconv.Itoa(n+1))
	}
	return (n - 1) * pageSize, min(n*pageSize, rows), links
}

// sortLinks returns the heads of columns, each with the name of its order in place of an address. The first is the default.
func sortLinks(q url.Values, to func(name, value string) string, heads ...link) []sortLink {
	current := q.Get("sort")
	if !sortsBy(heads, current) {
		current = heads[0].Address
	}
	var links []sortLink
	for _, head := range heads {
		l := sortLink{link: link{to("sort", head.Address), head.Text}}
		switch current {
		case head.Address:
			l.Address, l.Order = to("sort", "-"+head.Address), "ascending"
		case "-" + head.Address:
			l.Order = "descending"
		}
		links = append(links, l)
	}
	return links
}

func sortsBy(heads []link, order string) bool {
	for _, head := range heads {
		if strings.TrimPrefix(order, "-") == head.Address {
			return true
		}
	}
	return false
}
