// Package packaging contains the packages, container image, manifests and playbooks in which the exporter is delivered. The
// tests install and run them. They are a module of their own, so that the main module does not depend on their libraries.
package packaging
