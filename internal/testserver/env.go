package testserver

// Setenv adds variables, as "NAME=VALUE", to the environment that the server has from its next start on.
func (p *Process) Setenv(variables ...string) { p.env = append(p.env, variables...) }

// Crashed says whether the server has ended by itself. It can then be started again.
func (p *Process) Crashed() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.done:
		p.cmd = nil
		return true
	default:
		return false
	}
}
