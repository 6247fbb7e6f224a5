package drill

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is the unit of CPU times in /proc: 1/100 s on every Linux (proc(5), sysconf(_SC_CLK_TCK)).
const clockTick = 10 * time.Millisecond

// serverCPU returns the CPU time of the processes of this machine that listen at the addresses, and of the processes that
// they have started. It returns false unless all of them are found: they may run elsewhere, or belong to another user.
func serverCPU(addresses []string) (time.Duration, bool) {
	inodes := listeners(addresses)
	if len(inodes) == 0 || slices.Contains(inodes, "") {
		return 0, false
	}
	var sum time.Duration
	found := map[string]bool{}
	processes := allProcesses()
	for pid := range processes {
		open := openSockets(pid, inodes)
		if len(open) == 0 {
			continue
		}
		// Processes that share a socket were started by one of them, whose tree contains the others.
		if parent := processes[pid].parent; len(openSockets(parent, open)) == 0 {
			sum += processes.treeCPU(pid)
		}
		for _, inode := range open {
			found[inode] = true
		}
	}
	return sum, len(found) == len(inodes)
}

// listeners returns the inodes of the sockets that listen at the addresses, "" for an address without one on this machine.
func listeners(addresses []string) []string {
	sockets := map[netip.AddrPort]string{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue // There is no IPv6, or no /proc.
		}
		for line := range strings.SplitSeq(string(text), "\n") {
			fields := strings.Fields(line)
			const listening = "0A"
			if len(fields) < 10 || fields[3] != listening {
				continue
			}
			if at, err := parseSocket(fields[1]); err == nil {
				sockets[at] = fields[9]
			}
		}
	}
	inodes := make([]string, 0, len(addresses))
	for _, address := range addresses {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			inodes = append(inodes, "")
			continue
		}
		inode := ""
		for _, host := range []netip.Addr{at.Addr().Unmap(), netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
			if inode == "" {
				inode = sockets[netip.AddrPortFrom(host, at.Port())]
			}
		}
		if !slices.Contains(inodes, inode) {
			inodes = append(inodes, inode)
		}
	}
	return inodes
}

// parseSocket parses an address as in /proc/net/tcp: words of four bytes in the machine's byte order, which is taken to be
// little-endian, and a port.
func parseSocket(text string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	addr, ok := netip.AddrFromSlice(raw)
	number, err := strconv.ParseUint(port, 16, 16)
	if err != nil || !ok {
		return netip.AddrPort{}, fmt.Errorf("%q is not a socket's address", text)
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(number)), nil
}

// openSockets returns the sockets, of the given ones, that a process has open.
func openSockets(pid int, inodes []string) []string {
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return nil
	}
	var open []string
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil {
			continue // The file was closed meanwhile.
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			if inode = strings.TrimSuffix(inode, "]"); slices.Contains(inodes, inode) && !slices.Contains(open, inode) {
				open = append(open, inode)
			}
		}
	}
	return open
}

// processes are the processes of this machine, by ID.
type processes map[int]processTimes

type processTimes struct {
	parent      int
	own, reaped time.Duration // CPU time of the process, and of its children that have ended
}

func allProcesses() processes {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	all := processes{}
	for _, path := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			continue // The process ended meanwhile.
		}
		if times, ok := parseStat(string(text)); ok {
			all[pid] = times
		}
	}
	return all
}

// parseStat parses /proc/PID/stat after the command, which is in parentheses and may contain any character.
func parseStat(text string) (processTimes, bool) {
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 15 {
		return processTimes{}, false
	}
	number := func(i int) time.Duration {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0
		}
		return time.Duration(n)
	}
	return processTimes{
		parent: int(number(1)), own: (number(11) + number(12)) * clockTick, reaped: (number(13) + number(14)) * clockTick,
	}, true
}

// treeCPU returns the CPU time of a process and all its descendants.
func (p processes) treeCPU(pid int) time.Duration {
	sum := p[pid].own + p[pid].reaped
	for child, times := range p {
		if times.parent == pid && child != pid {
			sum += p.treeCPU(child)
		}
	}
	return sum
}

// ownCPU returns the CPU time of this process.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0 // Getrusage does not fail for the process itself.
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
