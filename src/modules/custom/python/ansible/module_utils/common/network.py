import ipaddress
import re


def is_netmask(val):
    parts = str(val).split(".")
    try:
        number = int(ipaddress.IPv4Address(val)) if len(parts) == 4 else None
    except ValueError:
        return False
    return number is not None and re.match(r"^1*0*$", format(number, "032b")) is not None


def is_masklen(val):
    try:
        return 0 <= int(val) <= 32
    except ValueError:
        return False


def to_netmask(val):
    if not is_masklen(val):
        raise ValueError("invalid value for masklen")
    return str(ipaddress.IPv4Network("0.0.0.0/%d" % int(val)).netmask)


def to_masklen(val):
    if not is_netmask(val):
        raise ValueError("invalid value for netmask: %s" % val)
    return format(int(ipaddress.IPv4Address(val)), "b").count("1")


def to_subnet(addr, mask, dotted_notation=False):
    if not is_masklen(mask):
        mask = to_masklen(mask)
    net = ipaddress.IPv4Network("%s/%s" % (addr, mask), strict=False)
    return "%s %s" % (net.network_address, net.netmask if dotted_notation else net.prefixlen)


def is_mac(mac_address):
    return bool(re.match(r"^[0-9a-f]{2}([-:])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$", mac_address.lower()))
