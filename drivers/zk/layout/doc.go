// Package layout reads members from trees of znodes that other systems write. A layout declares in which paths members
// are, how they are named, and what their data says; [Presets] are the layouts of known systems.
package layout
