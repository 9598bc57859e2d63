from ansible.module_utils._arguments import (
    AnsibleFallbackNotFound, PASS_BOOLS, PASS_VARS, env_fallback, remove_values, sanitize_keys,
)
