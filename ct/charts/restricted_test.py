"""Tests the check of Pod Security: it accepts a good pod and finds each fault."""

import copy
import unittest

import restricted

GOOD = {
    "kind": "Pod",
    "metadata": {"name": "good"},
    "spec": {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{
            "name": "c",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }],
    },
}


class Restricted(unittest.TestCase):
    def faults(self, change):
        pod = copy.deepcopy(GOOD)
        change(pod["spec"], pod["spec"]["containers"][0])
        return restricted.problems(pod)

    def test_a_good_pod_has_no_problems(self):
        self.assertEqual(restricted.problems(GOOD), [])
        wrapped = {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": {"spec": GOOD["spec"]}}}
        self.assertEqual(restricted.problems(wrapped), [])

    def test_each_fault_is_found(self):
        context = lambda container: container["securityContext"]
        for change, problem in [
            (lambda p, c: p.update(hostNetwork=True), "host namespaces: hostNetwork"),
            (lambda p, c: p.update(volumes=[{"name": "v", "hostPath": {"path": "/"}}]), "volume types: hostPath (v)"),
            (lambda p, c: p["securityContext"].update(sysctls=[{"name": "kernel.msgmax"}]), "sysctls: kernel.msgmax"),
            (lambda p, c: p["securityContext"].pop("runAsNonRoot"), "container c: running as non-root"),
            (lambda p, c: p["securityContext"].pop("seccompProfile"), "container c: seccomp: not set"),
            (lambda p, c: p["securityContext"].update(runAsUser=0), "running as non-root user"),
            (lambda p, c: context(c).update(runAsNonRoot=False), "container c: running as non-root"),
            (lambda p, c: context(c).update(seccompProfile={"type": "Unconfined"}), "container c: seccomp: Unconfined"),
            (lambda p, c: context(c).update(privileged=True), "container c: privileged containers"),
            (lambda p, c: context(c).pop("allowPrivilegeEscalation"), "container c: privilege escalation"),
            (lambda p, c: context(c).pop("capabilities"), "container c: capabilities: drop has no ALL"),
            (lambda p, c: context(c)["capabilities"].update(add=["SYS_ADMIN"]), "container c: capabilities: add SYS_ADMIN"),
            (lambda p, c: context(c).update(procMount="Unmasked"), "container c: /proc mount type"),
            (lambda p, c: c.update(ports=[{"hostPort": 80}]), "container c: host ports: 80"),
            (lambda p, c: c.update(livenessProbe={"httpGet": {"host": "x"}}), "container c: host probes: livenessProbe"),
            (lambda p, c: context(c).update(seLinuxOptions={"type": "spc_t"}), "container c: SELinux type: spc_t"),
            (lambda p, c: context(c).update(appArmorProfile={"type": "Unconfined"}), "container c: AppArmor: Unconfined"),
        ]:
            with self.subTest(problem):
                self.assertEqual(self.faults(change), [problem])
