module servicegroup_exporter/tools/prose

go 1.26
