package cli

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"servicegroup_exporter/internal/testserver"
)

// The scripts in testdata/script run the program as its users do: as processes, against real servers. Beside the
// commands of testscript they have:
//
//	server mariadb|memcached|zookeeper   starts a server and sets $MARIADB, … to its address
//	server alertmanager|prometheus FILE  starts one that has this configuration, in the same way
//	tell SERVER stop|start|freeze|thaw|kill
//	sql DATABASE FILE              runs the statements of a file in $MARIADB, which makes the database if needed
//	port NAME                      sets $NAME to the address of a free loopback port
//	http METHOD URL                prints the status and the body of the answer
//	systemd                        writes what services tell systemd to the file notified
//	follow URL                     a program that copies a stream to its output until it ends
//	eventually REGEXP ARGS...      runs a command until its output matches
//
// $SYSTEM_CONFIG takes the place of the packages' file. $NOVA is the folder with Nova's own schema (zed.sql) and rows that real Nova processes wrote (rows.sql).

// raceOptions keep processes under the race detector from sleeping for a second before each exit.
const raceOptions = "atexit_sleep_ms=20"

func TestMain(m *testing.M) {
	if err := os.Setenv("GORACE", raceOptions); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"servicegroup_exporter": program, "follow": follow})
}

// follow copies what a URL answers to its output as it comes, until it ends.
func follow() {
	response, err := http.Get(os.Args[1])
	if err == nil {
		defer response.Body.Close()
		_, err = io.Copy(os.Stdout, response.Body)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// program does what main does.
func program() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	os.Exit(Run(Process{
		Program: os.Args[0], Args: os.Args[1:], SystemConfig: os.Getenv("SYSTEM_CONFIG"),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Signals: signals,
	}))
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Values[serversKey] = map[string]scriptServer{}
			nova, err := filepath.Abs("../drivers/db/testdata")
			env.Setenv("NOVA", nova)
			env.Setenv("GORACE", raceOptions)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server":     startServer,
			"tell":       tellServer,
			"sql":        runSQL,
			"port":       freePort,
			"http":       doHTTP,
			"systemd":    beSystemd,
			"eventually": eventually,
		},
	})
}

// patience bounds what a script waits for, on a busy machine with few cores.
const patience = time.Minute

// serversKey is where a script's servers are kept.
type serversKeyType struct{}

var serversKey = serversKeyType{}

type scriptServer interface {
	Addr() string
	Stop()
	Start()
	Freeze()
	Thaw()
	Kill()
}

// scriptTB lets servers end with a script.
type scriptTB struct{ *testscript.TestScript }

func (s scriptTB) Helper()          {}
func (s scriptTB) Failed() bool     { return false }
func (s scriptTB) Cleanup(f func()) { s.Defer(f) }

func startServer(ts *testscript.TestScript, _ bool, args []string) {
	starters := map[string]func(config string) scriptServer{
		"memcached": func(string) scriptServer { return testserver.Memcached(scriptTB{ts}) },
		"mariadb":   func(string) scriptServer { return testserver.MariaDB(scriptTB{ts}) },
		// It grants shorter sessions than scripts may ask for.
		"zookeeper":    func(string) scriptServer { return testserver.ZooKeeper(scriptTB{ts}, "maxSessionTimeout=5000") },
		"alertmanager": func(config string) scriptServer { return testserver.Alertmanager(scriptTB{ts}, config) },
		"prometheus":   func(config string) scriptServer { return testserver.Prometheus(scriptTB{ts}, config) },
	}
	if len(args) == 0 || len(args) > 2 || starters[args[0]] == nil {
		ts.Fatalf("usage: server mariadb|memcached|zookeeper, or server alertmanager|prometheus FILE")
	}
	config := ""
	if len(args) == 2 {
		config = ts.ReadFile(args[1])
	}
	server := starters[args[0]](config)
	ts.Value(serversKey).(map[string]scriptServer)[args[0]] = server
	ts.Setenv(strings.ToUpper(args[0]), server.Addr())
}

func tellServer(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: tell SERVER stop|start|freeze|thaw|kill")
	}
	server, ok := ts.Value(serversKey).(map[string]scriptServer)[args[0]]
	if !ok {
		ts.Fatalf("no server %s", args[0])
	}
	action, ok := map[string]func(){
		"stop": server.Stop, "start": server.Start, "freeze": server.Freeze, "thaw": server.Thaw, "kill": server.Kill,
	}[args[1]]
	if !ok {
		ts.Fatalf("servers can't %s", args[1])
	}
	action()
}

func runSQL(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: sql DATABASE FILE")
	}
	server := ts.Value(serversKey).(map[string]scriptServer)["mariadb"].(*testserver.SQL)
	db := server.Open(scriptTB{ts}, args[0])
	if _, err := db.Exec(ts.ReadFile(args[1])); err != nil {
		ts.Fatalf("running %s: %v", args[1], err)
	}
}

func freePort(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		ts.Setenv(name, "127.0.0.1:"+strconv.Itoa(testserver.Port(scriptTB{ts})))
	}
}

func doHTTP(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: http METHOD URL")
	}
	answer, err := fetch(args[0], args[1])
	if err != nil {
		ts.Fatalf("%v", err)
	}
	fmt.Fprint(ts.Stdout(), answer)
}

// fetch returns the status and the body as text.
func fetch(method, url string) (string, error) {
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "3")
	response, err := (&http.Client{Timeout: patience}).Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.Status + "\n" + string(body), err
}

// output runs a command of the script and returns what it prints, including its failure.
func output(ts *testscript.TestScript, args []string) string {
	switch args[0] {
	case "http":
		answer, err := fetch(args[1], args[2])
		return answer + fmt.Sprint(err)
	case "cat":
		data, err := os.ReadFile(ts.MkAbs(args[1]))
		return string(data) + fmt.Sprint(err)
	}
	path, err := exec.LookPath(filepath.Join(ts.Getenv("TESTSCRIPT_BIN"), args[0]))
	if err != nil {
		path = findIn(ts.Getenv("PATH"), args[0])
	}
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"), "HOME="+ts.Getenv("WORK"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		fmt.Fprintf(&out, "[%v]\n", err)
	}
	return out.String()
}

func findIn(path, name string) string {
	for dir := range strings.SplitSeq(path, string(os.PathListSeparator)) {
		if full := filepath.Join(dir, name); isExecutable(full) {
			return full
		}
	}
	return name
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}

func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: [!] eventually REGEXP ARGS...")
	}
	pattern := regexp.MustCompile("(?m)" + args[0])
	var out string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		out = output(ts, args[1:])
		if pattern.MatchString(out) != neg {
			return
		}
	}
	ts.Fatalf("%q after %v; the last output was:\n%s", args[0], patience, out)
}
