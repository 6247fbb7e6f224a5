package config

import (
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func TestValidateNova(t *testing.T) {
	cfg := DefaultDB()
	cfg.NovaConf = drivers.Paths{"nova.conf"}
	require.NoError(t, cfg.validate())
	x := drivers.SecretText("x")
	cfg.Cells = []Cell{{"cell1", x}, {"a b", x}, {"", x}, {"cell1", x}}
	cfg.DSN, cfg.Schema, cfg.Password = drivers.SecretText("mysql://u@h/d"), "cinder", drivers.SecretText("sesame")
	require.EqualError(t, cfg.validate(), `dsn: nova_conf names the databases; keep one of the two
schema: is nova where nova_conf is set
cells[1].name: every cell needs a name of letters, digits and signs, without spaces
cells[2].name: every cell needs a name of letters, digits and signs, without spaces
cells[3].name: there is another cell "cell1"`)

	cfg = DefaultDB()
	cfg.Cells = []Cell{{"cell1", drivers.SecretText("x")}}
	require.EqualError(t, cfg.validate(), "cells: are only for nova_conf; without it, make each database a source")
}
