#!/usr/bin/python3
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule({
    "secret": {"no_log": True},
    "below": {"type": "dict", "options": {"secret": {"no_log": True}, "plain": {}}},
})
module.exit_json(changed=False)
