# SPDX-License-Identifier: Apache-2.0
"""Rules of huawei-topology that a log of events breaks: affinity, anti-affinity, fault domain, NUMA."""
import collections
import csv
import sys

folder, log = sys.argv[1:3]
requests = list(csv.DictReader(open(folder + '/vms_c1.csv')))
hosts = [tuple(map(int, r.values())) for r in csv.DictReader(open(folder + '/machines.csv'))]
racks = {r['host_id']: r['rack_id'] for r in csv.DictReader(open(folder + '/topology.csv'))}

# The simulator makes one job of an affinity group, at the place of its first row.
jobs, group_job = [], {}
for r in requests:
    key = r['group'] if r['strategy'] == 'affinity' else None
    if key in group_job:
        group_job[key].append(r)
        continue
    jobs.append([r])
    if key is not None:
        group_job[key] = jobs[-1]

where, submitted = [], {}
for line in open(log):
    w = line.split()
    if w[1] == 'submit':
        submitted[w[3]] = len(submitted)
    elif w[1] == 'place':
        where.append((jobs[submitted[w[3]]][int(w[5].split('.')[1])], int(w[7])))

together, apart = collections.defaultdict(set), collections.Counter()
divided, on_host = collections.defaultdict(set), collections.defaultdict(list)
for r, host in where:
    rack = racks['host-%d' % host]
    on_host[host].append(r)
    if r['strategy'] == 'affinity':
        together[r['group']].add(rack)
    elif r['strategy'] == 'anti-affinity':
        apart[r['group'], host] += 1
    elif r['strategy'] == 'fault_domain':
        divided[r['group'], rack].add(r['domain'])


def seats(vms, room):
    """Can these be seated on two nodes? Those of one node each are searched, the largest first."""
    room = list(room)
    single = []
    for r in vms:
        cpu, memory = int(r['flavor_vcpus']), int(r['flavor_ram'])
        if r['numa'] == '2':
            room = [room[0] - cpu / 2, room[1] - memory / 2, room[2] - cpu / 2, room[3] - memory / 2]
        else:
            single.append((cpu, memory))
    if min(room) < 0:
        return False
    states = {(room[0], room[1], room[2], room[3])}
    for cpu, memory in sorted(single, reverse=True):
        states = {s for a, b, c, d in states
                  for s in ((a - cpu, b - memory, c, d), (a, b, c - cpu, d - memory)) if min(s) >= 0}
        states = set(list(states)[:5000])
    return bool(states)


print(sum(len(s) > 1 for s in together.values()), sum(n > 1 for n in apart.values()),
      sum(len(s) > 1 for s in divided.values()),
      sum(not seats(v, hosts[h]) for h, v in on_host.items()))
