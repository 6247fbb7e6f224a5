package atomicfile

import (
	"fmt"
	"os"
)

// KeepLater keeps the content of a file that a later version of this program has written as NAME.vVERSION, so that this
// version can replace the file by one that has less.
func KeepLater(name string, version int) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return Replace(fmt.Sprintf("%s.v%d", name, version), data)
}
