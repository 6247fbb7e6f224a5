"""Is a member of groups through the real tooz until it is told to leave or is killed.

Usage: tooz_member.py SERVER NAMESPACE MEMBER GROUP...

Prints "joined" when it is a member of all groups, has stood for election in the first, and has taken a lock if that was
free. Leaves all groups when its input ends.
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
