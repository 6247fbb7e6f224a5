"""Writes and reads heartbeats as Nova's memcached driver does, with the real oslo.cache.

usage: oslo.py BACKEND SERVERS SERVICE_DOWN_TIME (set|get) KEY...

SERVERS is comma-separated. The answer is one line of JSON: for set nothing but the time of day before and after it, for
get whether each key proves its service alive, and its payload.
"""

import json
import sys
import time

from oslo_cache import core
from oslo_config import cfg
from oslo_utils import timeutils


def client(backend, servers, down_time):
    """What nova.cache_utils.get_memcached_client makes of the options in [cache]."""
    conf = cfg.ConfigOpts()
    core.configure(conf)
    conf([], default_config_files=[])
    conf.set_override("enabled", True, group="cache")
    conf.set_override("backend", backend, group="cache")
    conf.set_override("memcache_servers", servers.split(","), group="cache")
    conf.set_override("expiration_time", down_time, group="cache")
    region = core.create_region()
    core.configure_cache_region(conf, region)
    return region


def main(backend, servers, down_time, action, *keys):
    region = client(backend, servers, int(down_time))
    before = time.time()
    answer = {}
    for key in keys:
        if action == "set":
            region.set(key, timeutils.utcnow())
            continue
        value = region.get(key)
        up = not isinstance(value, type(core.NO_VALUE))
        answer[key] = {"up": up, "payload": value.isoformat() if up else None}
    print(json.dumps({"before": before, "after": time.time(), "keys": answer}))


main(*sys.argv[1:])
