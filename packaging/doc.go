// Package packaging holds what the program is delivered in: packages, a container, manifests and playbooks. The tests
// install and run them, and are a module of their own, so that the program does not depend on what they need.
package packaging
