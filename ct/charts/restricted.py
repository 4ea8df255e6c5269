"""The profile `restricted` of the Kubernetes Pod Security Standards (v1.35), with all of `baseline`, rule by rule.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
}
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"}
SELINUX_TYPES = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
ANNOTATED = ("runtime/default", "localhost/")


def problems(item):
    """The violations of `restricted` in the pod of an object, if it has one."""
    if item["kind"] == "Pod":
        pod, metadata = item["spec"], item["metadata"]
    elif "template" in item.get("spec", {}):
        pod, metadata = item["spec"]["template"]["spec"], item["spec"]["template"].get("metadata", {})
    else:
        return []
    found = list(of_pod(pod, metadata))
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in pod.get(kind, []):
            found += [f"container {container['name']}: {problem}" for problem in of_container(container, pod)]
    return found


def of_pod(pod, metadata):
    context = pod.get("securityContext") or {}
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            yield f"host namespaces: {name}"
    for volume in pod.get("volumes", []):
        for source in set(volume) - {"name"} - VOLUMES:
            yield f"volume types: {source} ({volume['name']})"
    for sysctl in context.get("sysctls", []):
        if sysctl["name"] not in SAFE_SYSCTLS:
            yield f"sysctls: {sysctl['name']}"
    for key, value in (metadata.get("annotations") or {}).items():
        if key.startswith(APPARMOR) and not value.startswith(ANNOTATED):
            yield f"AppArmor: {value}"
    yield from of_both(context)


def of_container(container, pod):
    own, shared = container.get("securityContext") or {}, pod.get("securityContext") or {}
    capabilities = own.get("capabilities") or {}
    if own.get("privileged"):
        yield "privileged containers"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "privilege escalation"
    if "ALL" not in capabilities.get("drop", []):
        yield "capabilities: drop has no ALL"
    for added in set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield f"capabilities: add {added}"
    if own.get("procMount", "Default") != "Default":
        yield "/proc mount type"
    for port in container.get("ports", []):
        if port.get("hostPort"):
            yield f"host ports: {port['hostPort']}"
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        for handler in ("httpGet", "tcpSocket"):
            if (container.get(name) or {}).get(handler, {}).get("host"):
                yield f"host probes: {name}"
    for name, handler in (container.get("lifecycle") or {}).items():
        for kind in ("httpGet", "tcpSocket"):
            if handler.get(kind, {}).get("host"):
                yield f"host probes: {name}"
    # The setting of a container overrides that of the pod, even if it is less strict.
    if own.get("runAsNonRoot", shared.get("runAsNonRoot")) is not True:
        yield "running as non-root"
    if not own.get("seccompProfile", shared.get("seccompProfile")):
        yield "seccomp: not set"
    yield from of_both(own)


def of_both(context):
    """Checks the fields that security contexts of pods and containers share."""
    options = context.get("seLinuxOptions") or {}
    if options.get("type") not in SELINUX_TYPES:
        yield f"SELinux type: {options['type']}"
    if options.get("user") or options.get("role"):
        yield "SELinux user or role"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield "HostProcess"
    if context.get("runAsUser") == 0:
        yield "running as non-root user"
    if (context.get("seccompProfile") or {"type": "RuntimeDefault"}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "seccomp: Unconfined"
    if (context.get("appArmorProfile") or {"type": "RuntimeDefault"}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "AppArmor: Unconfined"
