"""Writes and reads heartbeats as Nova's memcached driver does, with the real oslo.cache.

usage: oslo.py BACKEND SERVERS SERVICE_DOWN_TIME (set|get) KEY...
       oslo.py BACKEND SERVERS SERVICE_DOWN_TIME beat KEY REPORT_INTERVAL

SERVERS is comma-separated. The answer is one line of JSON: for set nothing but the time of day before and after it, for
get whether each key proves its service alive, and its payload. With beat it sets the key at the interval, as a service
does, and prints a line before each time.
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


def beat(region, key, interval):
    """What nova.servicegroup.drivers.mc does: a heartbeat that fails is none, and the next one may pass."""
    while True:
        print("beat", flush=True)
        try:
            region.set(key, timeutils.utcnow())
        except Exception as error:
            print(error, file=sys.stderr, flush=True)
        time.sleep(float(interval))


def main(backend, servers, down_time, action, *keys):
    region = client(backend, servers, int(down_time))
    if action == "beat":
        beat(region, *keys)
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
