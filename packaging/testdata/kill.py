"""Kills the main process of a unit several times. Prints how many milliseconds later another ZooKeeper client learns that the znode is gone."""

import os
import signal
import subprocess
import sys
import threading
import time

from kazoo.client import KazooClient

unit, znode, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = KazooClient("127.0.0.1:2181")
client.start()
for _ in range(times):
    subprocess.run(["systemctl", "start", unit], check=True)
    gone = threading.Event()
    while not client.exists(znode, watch=lambda event: event.type == "DELETED" and gone.set()):
        time.sleep(0.01)
    pid = int(subprocess.check_output(["systemctl", "show", "--value", "--property=MainPID", unit]))
    time.sleep(0.05)
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    if not gone.wait(60):
        sys.exit("the znode is still there")
    print(f"{(time.monotonic() - began) * 1000:.1f}")
client.stop()
