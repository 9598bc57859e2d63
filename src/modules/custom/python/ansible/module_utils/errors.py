class AnsibleFallbackNotFound(Exception):
    pass


class AnsibleValidationError(Exception):
    def __init__(self, message):
        super().__init__(message)
        self.error_message = message

    @property
    def msg(self):
        return self.args[0]


class AliasError(AnsibleValidationError):
    pass


class ArgumentTypeError(AnsibleValidationError):
    pass


class ArgumentValueError(AnsibleValidationError):
    pass


class MutuallyExclusiveError(AnsibleValidationError):
    pass


class RequiredByError(AnsibleValidationError):
    pass


class RequiredError(AnsibleValidationError):
    pass


class RequiredIfError(AnsibleValidationError):
    pass


class RequiredOneOfError(AnsibleValidationError):
    pass


class RequiredTogetherError(AnsibleValidationError):
    pass


class UnsupportedError(AnsibleValidationError):
    pass


class SubParameterTypeError(AnsibleValidationError):
    pass


class NoLogError(AnsibleValidationError):
    pass


class DeprecationError(AnsibleValidationError):
    pass
