"""The actions in the audit log: every requested change, by a name that stays."""

from enum import StrEnum


class Action(StrEnum):
    """An action. Its first word is the kind of its subject."""

    # By clients, and by operators in their place.
    JOB_CREATE = "job.create"
    JOB_COMMIT = "job.commit"
    JOB_CANCEL = "job.cancel"
    JOB_RETRY = "job.retry"
    JOB_DELETE = "job.delete"
    CORRECTION_PUT = "correction.put"
    CORRECTION_DELETE = "correction.delete"
    CORRECTION_IMPORT = "correction.import"
    EXPORT_CREATE = "export.create"
    EXPORT_DELETE = "export.delete"
    WEBHOOK_CREATE = "webhook.create"
    WEBHOOK_CHANGE = "webhook.change"
    WEBHOOK_DELETE = "webhook.delete"
    WEBHOOK_ROTATE = "webhook.rotate"
    WEBHOOK_ENABLE = "webhook.enable"
    WEBHOOK_DISABLE = "webhook.disable"
    WEBHOOK_TEST = "webhook.test"
    WEBHOOK_REDELIVER = "webhook.redeliver"
    JOB_SECRET_RENEW = "job_secret.renew"  # noqa: S105  # the name of an action
    DELIVERY_REDELIVER = "delivery.redeliver"
    # By operators alone.
    KEY_CREATE = "key.create"
    KEY_REVOKE = "key.revoke"
    TENANT_CREATE = "tenant.create"
    TENANT_CHANGE = "tenant.change"
    CLASSIFIER_REGISTER = "classifier.register"
    CLASSIFIER_PUBLISH = "classifier.publish"
    CLASSIFIER_DEFAULT = "classifier.default"
    PAUSE_BEGIN = "pause.begin"
    PAUSE_END = "pause.end"
    CHUNK_REQUEUE = "chunk.requeue"
    OBJECT_PURGE = "object.purge"
    AUDIT_FORGET = "audit.forget"


class ActorKind(StrEnum):
    """The kind of actor."""

    KEY = "key"  # An API key; its name in the log is its prefix, which is no secret.
    OPERATOR = "operator"  # A person with a shell: person and host.
