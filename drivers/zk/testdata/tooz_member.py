"""Join groups by the real tooz library, and leave them when the standard input ends.

Usage: tooz_member.py SERVER NAMESPACE MEMBER GROUP...

Print "joined" after joining all groups, taking part in an election in the first group, and trying to take a lock. Print
"left" after leaving the groups.
"""

import sys

from tooz import coordination

server, namespace, member, *groups = sys.argv[1:]
coordinator = coordination.get_coordinator(
    f"zookeeper://{server}?namespace={namespace}&timeout=2", member.encode())
coordinator.start()
for group in groups:
    try:
        coordinator.create_group(group.encode()).get()
    except coordination.GroupAlreadyExist:
        pass
    coordinator.join_group(group.encode(), capabilities=b"").get()
coordinator.watch_elected_as_leader(groups[0].encode(), lambda event: None)
coordinator.run_watchers()
coordinator.get_lock(b"some-lock").acquire(blocking=False)
print("joined", flush=True)

sys.stdin.read()
for group in groups:
    coordinator.leave_group(group.encode()).get()
print("left", flush=True)
coordinator.stop()
