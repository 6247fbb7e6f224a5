"""Prints the data of a znode."""

import sys

from kazoo.client import KazooClient

client = KazooClient("127.0.0.1:2181")
client.start()
print(client.get(sys.argv[1])[0].decode())
client.stop()
