"""What the server says it has, in the older form that every kubectl falls back to."""

READ = ["get", "list", "watch"]


def resource(name, kind, verbs, short=(), namespaced=True):
    return {"name": name, "singularName": "" if "/" in name else kind.lower(), "namespaced": namespaced, "kind": kind, "verbs": list(verbs),
            "shortNames": list(short)}


def documents():
    """Path -> document."""
    core = [resource("namespaces", "Namespace", ["get"], ["ns"], namespaced=False), resource("pods", "Pod", READ, ["po"]), resource("pods/exec", "PodExecOptions", ["create", "get"]),
            resource("services", "Service", READ, ["svc"]), resource("pods/log", "Pod", ["get"]), resource("pods/portforward", "PodPortForwardOptions", ["create", "get"])]
    apps = {"groupVersion": "apps/v1", "version": "v1"}
    return {
        "/version": {"major": "1", "minor": "35", "gitVersion": "v1.35.0", "gitCommit": "", "gitTreeState": "clean", "buildDate": "",
                     "goVersion": "", "compiler": "", "platform": "linux/amd64"},
        "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1",
                  "groups": [{"name": "apps", "versions": [apps], "preferredVersion": apps}]},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": core},
        "/apis/apps/v1": {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "apps/v1",
                          "resources": [resource("deployments", "Deployment", READ, ["deploy"])]},
    }
