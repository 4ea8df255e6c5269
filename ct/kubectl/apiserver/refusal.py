"""Status objects of requests that are refused."""


def status(code, reason, message, details=None):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code, "reason": reason, "message": message,
            "details": details or {}}


def not_found(resource, name):
    return status(404, "NotFound", f'{resource} "{name}" not found', {"name": name, "kind": resource})


def no_resource():
    return status(404, "NotFound", "the server could not find the requested resource")


def bad_request(message):
    return status(400, "BadRequest", message)
