package packaging

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The image contains only the exporter and its licences, and works without root.
func TestContainer(t *testing.T) {
	work := t.TempDir()
	buildah := fmt.Sprintf("buildah --root=%s/root --runroot=%[1]s/run --storage-driver=vfs", work)
	shell(t, "..", "make image VERSION="+release+" DIST="+work+"/dist ENGINE='"+buildah+"'")
	var image struct {
		OCIv1 struct {
			Config struct {
				User         string
				ExposedPorts map[string]struct{}
				Volumes      map[string]struct{}
				Entrypoint   []string
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(shell(t, work, buildah+" inspect --type=image servicegroup_exporter:"+release)), &image))
	config := image.OCIv1.Config
	require.Equal(t, "65532:65532", config.User)
	require.Contains(t, config.ExposedPorts, "10199/tcp")
	require.Contains(t, config.Volumes, "/var/lib/servicegroup_exporter")

	container := strings.TrimSpace(shell(t, work, buildah+" from --pull-never servicegroup_exporter:"+release))
	defer shell(t, work, buildah+" rm "+container)
	root := strings.TrimSpace(shell(t, work, buildah+" mount "+container))
	require.Equal(t, "./usr/bin/servicegroup_exporter\n./usr/share/doc/servicegroup_exporter/LICENSE\n./usr/share/doc/servicegroup_exporter/NOTICE\n",
		shell(t, root, "find . -type f | sort"))
	serve(t, root, config.Entrypoint)
	require.NotEmpty(t, shell(t, root, "find var/lib/servicegroup_exporter -type f -user 65532"), "it remembers nothing")
}

// A release pushes one image for all architectures, and says which.
func TestPushImage(t *testing.T) {
	work := t.TempDir()
	out := shell(t, "..", fmt.Sprintf("VERSION=%s+4 DIST=%s/dist ARCHITECTURES=%s IMAGE=localhost/owner/servicegroup_exporter DESTINATION=oci:%[2]s/pushed "+
		"ENGINE='buildah --root=%[2]s/root --runroot=%[2]s/run --storage-driver=vfs' tools/push-image", release, work, runtime.GOARCH))
	require.Contains(t, out, "\nname=localhost/owner/servicegroup_exporter\n")
	index, err := os.ReadFile(filepath.Join(work, "pushed", "index.json"))
	require.NoError(t, err)
	digest := regexp.MustCompile(`\ndigest=sha256:([0-9a-f]{64})\n`).FindStringSubmatch(out)
	require.NotNil(t, digest, out)
	require.Contains(t, string(index), digest[1])
	list, err := os.ReadFile(filepath.Join(work, "pushed", "blobs", "sha256", digest[1]))
	require.NoError(t, err)
	require.Contains(t, string(list), `"platform":{"architecture":"`+runtime.GOARCH+`","os":"linux"}`)
}

// serve runs the image's program in the image's root folder as the image's user, without a container engine.
func serve(t *testing.T, root string, entrypoint []string) {
	t.Helper()
	address := freeAddress(t)
	cmd := exec.CommandContext(t.Context(), entrypoint[0], append(entrypoint[1:], "--web.listen-address="+address)...)
	cmd.Dir, cmd.Env = "/", []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer log.Close()
	cmd.Stderr = log
	require.NoError(t, cmd.Start())
	defer func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(t, cmd.Wait(), "its log is %s", log.Name())
	}()
	require.Eventually(t, func() bool { return strings.HasPrefix(get("http://"+address+"/-/ready"), "ready") }, patience, 50*time.Millisecond)
	require.Contains(t, get("http://"+address+"/metrics"), `servicegroup_source_up{source="local"} 1`)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

func get(url string) string {
	response, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	return read(response)
}

// read reads an answer to its end and closes it.
func read(response *http.Response) string {
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}
