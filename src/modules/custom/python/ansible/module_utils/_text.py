from ansible.module_utils.common.text.converters import codecs, to_bytes, to_native, to_text
