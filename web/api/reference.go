package api

import (
	"bytes"
	_ "embed" // for the template
	"fmt"
	"html/template"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

//go:embed reference.html
var referenceHTML string

// A document has what the page about the API shows of the OpenAPI file.
type document struct {
	Info struct {
		Title, Version, Description string
	}
	Paths      entries[struct{ Get operation }]
	Components struct {
		Parameters map[string]parameter
		Responses  entries[response]
		Schemas    entries[schema]
	}
}

type operation struct {
	ID                   string `yaml:"operationId"`
	Summary, Description string
	Parameters           []parameter
	Responses            entries[response]
}

type parameter struct {
	Ref                   string `yaml:"$ref"`
	Name, In, Description string
	Required              bool
	Schema                schema
}

type response struct {
	Ref         string `yaml:"$ref"`
	Description string
	Content     entries[struct{ Schema schema }]
}

type schema struct {
	Ref                       string `yaml:"$ref"`
	Type, Format, Description string
	Nullable                  bool
	Enum, Required            []string
	Items                     *schema
	Properties                entries[schema]
	OneOf                     []schema `yaml:"oneOf"`
}

// entries are the elements of a mapping, in the order of the file.
type entries[T any] []entry[T]

type entry[T any] struct {
	Name  string
	Value T
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (e *entries[T]) UnmarshalYAML(node *yaml.Node) error {
	for i := 0; i+1 < len(node.Content); i += 2 {
		next := entry[T]{Name: node.Content[i].Value}
		if err := node.Content[i+1].Decode(&next.Value); err != nil {
			return err
		}
		*e = append(*e, next)
	}
	return nil
}

// Resolve returns the parameter, or the one that it refers to.
func (d *document) Resolve(p parameter) parameter {
	if p.Ref != "" {
		return d.Components.Parameters[path.Base(p.Ref)]
	}
	return p
}

// TypeName returns the type in words. A type with a name of its own is a link.
func (s schema) TypeName() template.HTML {
	text := s.Type
	switch {
	case s.Ref != "":
		name := template.HTMLEscapeString(path.Base(s.Ref))
		return template.HTML(`<a href="#` + name + `">` + name + `</a>`)
	case len(s.Enum) > 0:
		text = "one of " + strings.Join(s.Enum, ", ")
	case s.Format == "date-time":
		text = "time"
	}
	html := template.HTML(template.HTMLEscapeString(text))
	for i, one := range s.OneOf {
		if i > 0 {
			html += " or "
		}
		html += one.TypeName()
	}
	if s.Items != nil {
		html = "array of " + s.Items.TypeName()
	}
	if s.Nullable {
		html += " or null"
	}
	return html
}

// A field is a property of an object in an answer.
type field struct {
	Name   string // of a part of another property, after the name of that property
	Schema schema
	Always bool // it is never left out
}

// Fields returns the properties of an object, or of the objects in an array, objects without a name included.
func (s schema) Fields() []field {
	if s.Items != nil {
		s = *s.Items
	}
	var fields []field
	for _, property := range s.Properties {
		fields = append(fields, field{property.Name, property.Value, slices.Contains(s.Required, property.Name)})
		for _, inner := range property.Value.Fields() {
			inner.Name = property.Name + "." + inner.Name
			fields = append(fields, inner)
		}
	}
	return fields
}

// paragraphs returns the paragraphs of a description as HTML, with what is between backticks as code.
func paragraphs(text string) []template.HTML {
	var all []template.HTML
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		parts := strings.Split(template.HTMLEscapeString(paragraph), "`")
		for i := 1; i < len(parts); i += 2 {
			parts[i] = "<code>" + parts[i] + "</code>"
		}
		all = append(all, template.HTML(strings.Join(parts, "")))
	}
	return all
}

// renderReference returns the page about the API, made from the OpenAPI file.
func renderReference() ([]byte, error) {
	var d document
	if err := yaml.Unmarshal(specification, &d); err != nil {
		return nil, fmt.Errorf("parsing openapi.yaml: %w", err)
	}
	t, err := template.New("reference").Funcs(template.FuncMap{"paragraphs": paragraphs}).Parse(referenceHTML)
	if err != nil {
		return nil, fmt.Errorf("parsing reference.html: %w", err)
	}
	var page bytes.Buffer
	if err := t.Execute(&page, &d); err != nil {
		return nil, fmt.Errorf("making the page about the API: %w", err)
	}
	return page.Bytes(), nil
}
