"""Checks of values and of what belongs together."""

import json
import os
import re
from ast import literal_eval

from ansible.module_utils.common.collections import is_iterable
from ansible.module_utils.common.text.converters import jsonify, to_native
from ansible.module_utils.common.text.formatters import human_to_bytes
from ansible.module_utils.parsing.convert_bool import boolean


def _within(context):
    return " found in %s" % " -> ".join(context) if context else ""


def _given(parameters, names):
    return [name for name in names if parameters.get(name) is not None]


def count_terms(terms, parameters):
    terms = [terms] if isinstance(terms, str) else terms
    return len(set(terms).intersection(parameters))


def check_mutually_exclusive(terms, parameters, options_context=None):
    wrong = [group for group in terms or () if count_terms(group, parameters) > 1]
    if wrong:
        listed = ", ".join("|".join(group) for group in wrong)
        raise TypeError("parameters are mutually exclusive: %s%s" % (listed, _within(options_context)))
    return []


def check_required_one_of(terms, parameters, options_context=None):
    for group in terms or ():
        if count_terms(group, parameters) == 0:
            names = [group] if isinstance(group, str) else group
            raise TypeError("one of the following is required: %s%s" % (", ".join(names), _within(options_context)))
    return []


def check_required_together(terms, parameters, options_context=None):
    for group in terms or ():
        there = count_terms(group, parameters)
        if 0 < there < len(group):
            raise TypeError("parameters are required together: %s%s" % (", ".join(group), _within(options_context)))
    return []


def check_required_by(requirements, parameters, options_context=None):
    missing = {}
    for name, needs in (requirements or {}).items():
        if parameters.get(name) is None:
            continue
        needs = [needs] if isinstance(needs, str) else needs
        absent = [need for need in needs if parameters.get(need) is None]
        if absent:
            missing[name] = absent
            raise TypeError("missing parameter(s) required by '%s': %s%s"
                            % (name, ", ".join(absent), _within(options_context)))
    return missing


def check_required_arguments(argument_spec, parameters, options_context=None):
    missing = [name for name, about in (argument_spec or {}).items()
               if about.get("required", False) and name not in parameters]
    if missing:
        raise TypeError("missing required arguments: %s%s" % (", ".join(sorted(missing)), _within(options_context)))
    return missing


def check_required_if(requirements, parameters, options_context=None):
    for entry in requirements or ():
        name, value, needs = entry[:3]
        any_is_enough = len(entry) > 3 and entry[3]
        if parameters.get(name) != value or name not in parameters:
            continue
        absent = [need for need in needs if need not in parameters or parameters[need] is None]
        if absent and (not any_is_enough or len(absent) == len(needs)):
            raise TypeError("%s is %s but %s of the following are missing: %s%s"
                            % (name, value, "any" if any_is_enough else "all", ", ".join(absent),
                               _within(options_context)))
    return []


def check_missing_parameters(parameters, required_parameters=None):
    missing = [name for name in required_parameters or () if not parameters.get(name)]
    if missing:
        raise TypeError("missing required arguments: %s" % ", ".join(missing))
    return missing


def safe_eval(value, locals=None, include_exceptions=False):
    try:
        found = literal_eval(value) if isinstance(value, str) else value
    except Exception as error:
        return (value, error) if include_exceptions else value
    return (found, None) if include_exceptions else found


def check_type_str(value, allow_conversion=True, param=None, prefix=""):
    if isinstance(value, str):
        return value
    if allow_conversion and value is not None:
        return to_native(value, errors="surrogate_or_strict")
    raise TypeError("'%r' is not a string and conversion is not allowed" % (value,))


def check_type_list(value):
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        return value.split(",")
    if isinstance(value, (int, float)):
        return [str(value)]
    raise TypeError("%s cannot be converted to a list" % type(value))


def check_type_dict(value):
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        if value.startswith("{"):
            try:
                return json.loads(value)
            except ValueError:
                found = safe_eval(value)
                if isinstance(found, dict):
                    return found
                raise TypeError("unable to evaluate string as dictionary")
        if "=" in value:
            pieces = re.findall(r"((?:[^\s,\"']|\"(?:\\.|[^\"])*\"|'(?:\\.|[^'])*'|\\.)+)", value)
            if all("=" in piece for piece in pieces):
                pairs = (piece.split("=", 1) for piece in pieces)
                return {key: text[1:-1] if text[:1] in "\"'" and text[:1] == text[-1:] and len(text) > 1 else text
                        for key, text in pairs}
            raise TypeError("unable to evaluate string in the \"key=value\" format as dictionary")
        raise TypeError("dictionary requested, could not parse JSON or key=value")
    raise TypeError("%s cannot be converted to a dict" % type(value))


def check_type_bool(value):
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, int, float)):
        return boolean(value)
    raise TypeError("%s cannot be converted to a bool" % type(value))


def check_type_int(value):
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        number = float(value) if not isinstance(value, str) else None
        if number is None:
            return int(value)
        if number == int(number):
            return int(number)
    except (TypeError, ValueError):
        try:
            if float(value) == int(float(value)):
                return int(float(value))
        except (TypeError, ValueError, OverflowError):
            pass
    raise TypeError("\"%s\" cannot be converted to an int" % (value,))


def check_type_float(value):
    if isinstance(value, float):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError("%s cannot be converted to a float" % type(value))


def check_type_path(value):
    return os.path.expanduser(os.path.expandvars(check_type_str(value)))


def check_type_raw(value):
    return value


def check_type_bytes(value):
    try:
        return human_to_bytes(value)
    except ValueError:
        raise TypeError("%s cannot be converted to a Byte value" % type(value))


def check_type_bits(value):
    try:
        return human_to_bytes(value, isbits=True)
    except ValueError:
        raise TypeError("%s cannot be converted to a Bit value" % type(value))


def check_type_jsonarg(value):
    if isinstance(value, (str, bytes)):
        return to_native(value).strip()
    if isinstance(value, (dict, list, tuple)):
        return jsonify(value)
    raise TypeError("%s cannot be converted to a json string" % type(value))
