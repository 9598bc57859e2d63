import re
from collections.abc import MutableMapping
from copy import deepcopy


def _camel_to_snake(name, reversible=False):
    if reversible:
        spread = re.sub(r"[A-Z]", lambda found: "_" + found.group(0).lower(), name)
        return spread[1:] if name[:1].isupper() else spread
    # words in capitals at the end with a plural s stay in one piece: TargetGroupARNs
    name = re.sub(r"[A-Z]{3,}s$", lambda found: "_" + found.group(0).lower(), name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def _snake_to_camel(snake, capitalize_first=False):
    words = snake.split("_")
    first = words[0].capitalize() if capitalize_first and words[0] else words[0]
    if capitalize_first and not words[0]:
        first = "_"
    return first + "".join(word.capitalize() or "_" for word in words[1:])


def _deep(value, rename, ignore=()):
    """Renames all keys; what stands under an ignored key of the outermost mapping stays."""
    if isinstance(value, dict):
        return {rename(k): v if k in ignore else _deep(v, rename) for k, v in value.items()}
    if isinstance(value, list):
        return [_deep(item, rename) for item in value]
    return value


def camel_dict_to_snake_dict(camel_dict, reversible=False, ignore_list=()):
    return _deep(camel_dict, lambda key: _camel_to_snake(key, reversible), tuple(ignore_list))


def snake_dict_to_camel_dict(snake_dict, capitalize_first=False):
    return _deep(snake_dict, lambda key: _snake_to_camel(key, capitalize_first))


def dict_merge(a, b):
    if not isinstance(b, dict):
        return b
    merged = deepcopy(a)
    for key, value in b.items():
        if isinstance(merged.get(key), dict):
            merged[key] = dict_merge(merged[key], value)
        else:
            merged[key] = deepcopy(value)
    return merged


def recursive_diff(dict1, dict2):
    if not all(isinstance(item, MutableMapping) for item in (dict1, dict2)):
        raise TypeError("Unable to diff 'dict1' %s and 'dict2' %s. Both must be a dictionary."
                        % (type(dict1), type(dict2)))
    left = {key: value for key, value in dict1.items() if key not in dict2}
    right = {key: value for key, value in dict2.items() if key not in dict1}
    for key in set(dict1) & set(dict2):
        if isinstance(dict1[key], dict) and isinstance(dict2[key], dict):
            inner = recursive_diff(dict1[key], dict2[key])
            if inner:
                left[key], right[key] = inner
        elif dict1[key] != dict2[key]:
            left[key], right[key] = dict1[key], dict2[key]
    return (left, right) if left or right else None
