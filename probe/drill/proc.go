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

// clockTick is the unit of processor times in /proc: 1/100 s on every Linux (proc(5), sysconf(_SC_CLK_TCK)).
const clockTick = 10 * time.Millisecond

// serverCPU gives the processor time so far of the processes of this machine that listen at the addresses, and of those
// that they have started. It is false unless all of them are found: they may run elsewhere, or belong to another user.
func serverCPU(addresses []string) (time.Duration, bool) {
	inodes := listeners(addresses)
	if len(inodes) == 0 || slices.Contains(inodes, "") {
		return 0, false
	}
	var sum time.Duration
	found := map[string]bool{}
	processes := allProcesses()
	for pid := range processes {
		held := holds(pid, inodes)
		if len(held) == 0 {
			continue
		}
		// Of several processes that share a socket the first one has made the others.
		if parent := processes[pid].parent; len(holds(parent, held)) == 0 {
			sum += processes.tree(pid)
		}
		for _, inode := range held {
			found[inode] = true
		}
	}
	return sum, len(found) == len(inodes)
}

// listeners gives the inodes of the sockets that listen at the addresses, empty for those where none does here.
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

// parseSocket reads an address as /proc/net/tcp has it: words of four bytes in the machine's order, which is little-endian
// wherever Go is likely to run, and a port.
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

// holds gives those of the sockets that a process has open.
func holds(pid int, inodes []string) []string {
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return nil
	}
	var held []string
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil {
			continue // It was closed meanwhile.
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			if inode = strings.TrimSuffix(inode, "]"); slices.Contains(inodes, inode) && !slices.Contains(held, inode) {
				held = append(held, inode)
			}
		}
	}
	return held
}

// processes are those of this machine, by their ids.
type processes map[int]processTimes

type processTimes struct {
	parent      int
	own, reaped time.Duration // of itself, and of its children that have ended
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
			continue // It ended meanwhile.
		}
		if times, ok := parseStat(string(text)); ok {
			all[pid] = times
		}
	}
	return all
}

// parseStat reads what follows the command in /proc/PID/stat, which is in parentheses and may contain anything.
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

// tree gives the processor time of a process, and of all that it has started.
func (p processes) tree(pid int) time.Duration {
	sum := p[pid].own + p[pid].reaped
	for child, times := range p {
		if times.parent == pid && child != pid {
			sum += p.tree(child)
		}
	}
	return sum
}

// ownCPU is the processor time of this process.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0 // It does not fail for the process itself.
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
