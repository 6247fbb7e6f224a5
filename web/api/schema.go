package api

import (
	_ "embed" // for the schema
	"encoding/json"
	"fmt"
	"path"

	"gopkg.in/yaml.v3"
)

// schemaType is the media type of JSON Schema.
const schemaType = "application/schema+json"

// renderHostsSchema returns the JSON Schema of the answer about hosts.
func renderHostsSchema() ([]byte, error) {
	return renderSchema("Hosts", "Hosts of servicegroup_exporter", fmt.Sprintf("urn:servicegroup-exporter:hosts:%d", hostsVersion))
}

// hostDownWebhook is the JSON Schema of Alertmanager's webhook with an alert about a host.
//
//go:embed host-down-webhook.schema.json
var hostDownWebhook []byte

// An object is a mapping in the OpenAPI file, or an object of JSON.
type object = map[string]any

// renderSchema returns a schema of the OpenAPI file as JSON Schema, with the schemas that it refers to.
func renderSchema(name, title, id string) ([]byte, error) {
	var file struct {
		Components struct{ Schemas map[string]object }
	}
	if err := yaml.Unmarshal(specification, &file); err != nil {
		return nil, fmt.Errorf("parsing openapi.yaml: %w", err)
	}
	c := schemaConverter{from: file.Components.Schemas, to: object{}}
	c.define(name)
	root, _ := c.to[name].(object)
	delete(c.to, name)
	root["$schema"], root["$id"], root["title"], root["$defs"] = "https://json-schema.org/draft/2020-12/schema", id, title, c.to
	text, err := json.MarshalIndent(root, "", "  ")
	return append(text, '\n'), err
}

// A schemaConverter makes JSON Schema of what OpenAPI 3.0 takes from an older draft.
type schemaConverter struct {
	from map[string]object // the schemas of the OpenAPI file
	to   object            // those that are needed, as JSON Schema
}

// define converts a schema and those that it refers to.
func (c *schemaConverter) define(name string) {
	if _, done := c.to[name]; done {
		return
	}
	c.to[name] = nil // It may refer to itself.
	c.to[name] = c.convert(c.from[name])
}

// convert returns a schema in which null is a type, and which allows properties that are added later.
func (c *schemaConverter) convert(schema object) object {
	converted := object{}
	for key, value := range schema {
		switch key {
		case "$ref":
			name := path.Base(value.(string))
			c.define(name)
			converted[key] = "#/$defs/" + name
		case "items":
			converted[key] = c.convert(value.(object))
		case "properties":
			properties := object{}
			for name, property := range value.(object) {
				properties[name] = c.convert(property.(object))
			}
			converted[key] = properties
		case "nullable":
			converted["type"] = []any{schema["type"], "null"}
		case "type":
			if schema["nullable"] == nil {
				converted[key] = value
			}
		case "additionalProperties":
		default:
			converted[key] = value
		}
	}
	return converted
}
