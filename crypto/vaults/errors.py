"""What vaults refuse: each with a code of its own, all of them KeyRefused to whoever only wants to sign."""

from crypto.errors import KeyRefused


class UnknownKey(KeyRefused):
    """The vault has no key of this name."""

    code = "vault_key_unknown"


class WrongPurpose(KeyRefused):
    """A signing key was asked to decrypt, or an encryption key to sign."""

    code = "vault_key_purpose"


class VaultDamaged(KeyRefused):
    """A file of the vault is cut short, altered or of another vault; or a device says what it cannot mean."""

    code = "vault_damaged"


class VaultExposed(KeyRefused):
    """Other users of the machine can reach the vault's files; the text names the command that mends it."""

    code = "vault_exposed"


class VaultBusy(KeyRefused):
    """Every session of the device was in use for too long."""

    code = "vault_busy"


class PinRefused(KeyRefused):
    """The device does not accept the password; it is not asked again with the same one, for devices lock."""

    code = "vault_pin_refused"


class DeviceGone(KeyRefused):
    """The device does not answer, nor did it after it was opened once more."""

    code = "vault_device_gone"
