import platform


def _os_release():
    found = {}
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        try:
            with open(path, encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    key, equals, value = line.strip().partition("=")
                    if equals and not key.startswith("#"):
                        found[key] = value.strip("\"'")
            break
        except OSError:
            continue
    return found


_NAMES = {"rhel": "Redhat", "ol": "Oracle", "amzn": "Amazon", "opensuse-leap": "Opensuse-leap", "": "OtherLinux"}


def get_distribution():
    if platform.system() != "Linux":
        return platform.system()
    name = _os_release().get("ID", "")
    return _NAMES.get(name, name.capitalize())


def get_distribution_version():
    return _os_release().get("VERSION_ID", "") if platform.system() == "Linux" else None


def get_distribution_codename():
    return _os_release().get("VERSION_CODENAME") if platform.system() == "Linux" else None


def get_platform_subclass(cls):
    this, distribution = platform.system(), get_distribution()
    classes, found = [cls], []
    while classes:
        one = classes.pop()
        classes.extend(one.__subclasses__())
        found.append(one)
    for fits in (lambda c: c.platform == this and c.distribution is not None and c.distribution == distribution,
                 lambda c: c.platform == this and c.distribution is None):
        for one in found[1:]:
            if fits(one):
                return one
    return cls
