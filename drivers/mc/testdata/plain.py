"""Writes and reads heartbeats as Nova's memcached driver did until release 12, with the real python-memcached.

usage: plain.py SERVER SERVICE_DOWN_TIME (set|get) KEY

The answer is one line of JSON: the payload.
"""

import datetime
import json
import sys

import memcache


def main(server, down_time, action, key):
    client = memcache.Client([server])
    if action == "set":
        client.set(key, datetime.datetime.utcnow(), time=int(down_time))
    value = client.get(key)
    print(json.dumps(value.isoformat() if value else None))


main(*sys.argv[1:])
