"""Words: how states, actions and refusals are called in Chinese and English, with the colour of their chip."""

from collections.abc import Mapping
from typing import TypeAlias

Words: TypeAlias = tuple[str, str]
Chip: TypeAlias = tuple[str, str, str]
"""Chinese, English, colour."""

SEAL_STATUS: Mapping[str, Chip] = {
    "made": ("已制作", "made", "blue"),
    "filed": ("已备案", "filed", "blue"),
    "active": ("使用中", "in use", "green"),
    "suspended": ("已暂停", "suspended", "amber"),
    "lost": ("已挂失", "reported lost", "red"),
    "revoked": ("已吊销", "revoked", "red"),
    "destroyed": ("已销毁", "destroyed", "grey"),
}
SEAL_KIND: Mapping[int, Words] = {
    0: ("个人名章", "personal name seal"),
    1: ("法定名称章", "seal of the legal name"),
    2: ("财务专用章", "finance seal"),
    3: ("发票专用章", "invoice seal"),
    4: ("合同专用章", "contract seal"),
    5: ("法定代表人名章", "legal representative's seal"),
    6: ("业务专用章", "business seal"),
    99: ("其他印章", "other seal"),
}
USE_POLICY: Mapping[str, Words] = {
    "open": ("凭权限直接用印", "open: the right alone"),
    "granted": ("须有用印授权", "granted: a grant, too"),
    "approved": ("每次用印须经审批", "approved: a second person approves each use"),
}
ACTION: Mapping[str, Words] = {
    "make": ("制作", "Make"),
    "file": ("备案登记", "Record the filing"),
    "activate": ("启用", "Put into use"),
    "suspend": ("暂停使用", "Suspend"),
    "resume": ("恢复使用", "Resume"),
    "change": ("变更", "Change"),
    "renew": ("换发", "Renew"),
    "lose": ("挂失", "Report lost"),
    "revoke": ("吊销", "Revoke"),
    "destroy": ("销毁", "Destroy"),
    "export": ("导出印章文件", "Give out the e-seal's file"),
    "policy": ("调整用印规则", "Change the use policy"),
    "grant": ("授权用印", "Grant a use"),
    "end_grant": ("收回用印授权", "End a grant"),
}
"""Actions that others add are shown by their own name."""
EFFECT: Mapping[str, Words] = {
    "make": (
        "制作一枚新的电子印章并登记；备案、启用之后才能用印。",
        "A new e-seal is made and registered; it seals only once filed and put into use.",
    ),
    "file": (
        "登记备案机关给出的备案编号。提交后立即生效。",
        "The filing body's number is put on record. Takes effect at once.",
    ),
    "activate": (
        "印章投入使用，有权限的系统即可用印。",
        "The seal comes into use: systems with the right can seal with it.",
    ),
    "suspend": (
        "印章停止用印，直到恢复。此前的签章仍然有效。",
        "The seal seals no more until resumed. What it sealed before stays valid.",
    ),
    "resume": ("印章恢复用印。", "The seal seals again."),
    "change": (
        "用新的名称、印模或有效期重新制作印章，编码不变。",
        "The seal is made anew under its number, with another name, picture or validity.",
    ),
    "renew": ("用新的证书重新制作印章，编码不变。", "The seal is made anew under its number, with other certificates."),
    "lose": (
        "印章立即停止用印，无需他人同意；补办须换用新的密钥。",
        "The seal stops at once, without a second person; it comes back only with other keys.",
    ),
    "revoke": (
        "印章永久停止使用，不能恢复；此前的签章仍按盖章当时的状态核验。",
        "The seal ends for good. What it sealed before is judged by its status at that time.",
    ),
    "destroy": (
        "销毁已吊销的印章，并销毁它的私钥。不可撤回。",
        "The revoked seal ends with its private keys. This cannot be taken back.",
    ),
    "export": ("给出印章文件（不含私钥）。", "The e-seal's file is given out; no private key is in it."),
    "grant": (
        "允许下列系统或单位在限定的范围内使用这枚印章。",
        "The system or body named may use the seal within these limits.",
    ),
    "end_grant": ("收回一项用印授权，此后不能再据此用印。", "A grant ends: nothing more is sealed by it."),
    "policy": ("改变使用这枚印章需要满足的条件。", "What it takes to use this seal changes."),
}
STANDING: Mapping[str, Chip] = {
    "waiting_for_review": ("待审核", "waits for review", "amber"),
    "waiting_for_approval": ("待审批", "waits for approval", "amber"),
    "carried_out": ("已执行", "carried out", "green"),
    "rejected": ("已驳回", "rejected", "red"),
    "withdrawn": ("已撤回", "withdrawn", "grey"),
    "expired": ("已过期", "expired", "grey"),
}
USE_STANDING: Mapping[str, Chip] = {
    "waiting": ("待审批", "waits for approval", "amber"),
    "approved": ("已批准，未用", "approved, not used yet", "blue"),
    "rejected": ("已拒绝", "refused", "red"),
    "withdrawn": ("已撤回", "withdrawn", "grey"),
    "used": ("已用", "used", "green"),
    "expired": ("已过期", "expired", "grey"),
}
VERDICT: Mapping[str, Words] = {
    "review": ("审核通过", "reviewed"),
    "approve": ("审批通过", "approved"),
    "reject": ("驳回", "rejected"),
    "withdraw": ("撤回", "withdrew"),
}
PAPER: Mapping[str, Words] = {
    "application": ("申请书", "application"),
    "authorisation": ("授权书", "authorisation"),
    "handler-identity": ("经办人身份证明", "handler's identity"),
}
BATCH_STATE: Mapping[str, Chip] = {
    "running": ("进行中", "running", "blue"),
    "paused": ("已暂停", "paused", "amber"),
    "stopped": ("因错误停止", "stopped at an error", "red"),
    "cancelled": ("已取消", "cancelled", "grey"),
    "completed": ("已完成", "completed", "green"),
}
ITEM_STATE: Mapping[str, Chip] = {
    "waiting": ("等待", "waiting", "grey"),
    "running": ("处理中", "running", "blue"),
    "sealed": ("已盖章", "sealed", "green"),
    "failed": ("失败", "failed", "red"),
    "cancelled": ("已取消", "cancelled", "grey"),
}
USE_STATE: Mapping[str, Chip] = {
    "completed": ("已完成", "completed", "green"),
    "running": ("进行中", "running", "blue"),
    "failed": ("失败", "failed", "red"),
    "interrupted": ("中断", "interrupted", "amber"),
}
REFUSAL: Mapping[str, tuple[Words, Words]] = {
    "second_person_needed": (
        ("不能由您审批", "Not yours to decide"),
        (
            "您已参与这件办件。按双人复核要求，须由另一位印章管理员处理。",
            "You have a part in this affair: another officer decides it.",
        ),
    ),
    "affair_closed": (
        ("办件已结束", "The affair is closed"),
        (
            "它已被执行、驳回、撤回或已过期，不能再处理。",
            "It was carried out, rejected or withdrawn, or its time is over.",
        ),
    ),
    "affair_not_ready": (
        ("还没有轮到这一步", "It waits for another step"),
        ("申请材料须先经审核，才能审批。", "The papers are reviewed before anybody approves."),
    ),
    "affair_hash_mismatch": (
        ("内容与您看到的不一致", "This is not what you were shown"),
        ("请重新打开办件，核对后再处理。没有执行任何操作。", "Open the affair again and look at it. Nothing was done."),
    ),
    "affair_damaged": (
        ("办件记录异常", "The record is damaged"),
        (
            "数据库中的内容与申请时不符，已停止处理。请联系系统运维。",
            "What is stored is not what was proposed. Tell the operator.",
        ),
    ),
    "affair_unknown": (
        ("没有这件办件", "No such affair"),
        ("编号有误，或与您无关。", "The id is wrong, or it is none of yours."),
    ),
    "affair_refused": (
        ("申请有误", "The proposal is not in order"),
        ("请检查事由、依据和各项内容后重新提交。", "Check reason, legal basis and the other fields."),
    ),
    "seal_not_usable": (
        ("印章当前状态不能这样办理", "Not possible in the seal's status"),
        ("印章的状态可能刚刚发生变化，请刷新查看。", "Its status may just have changed: look again."),
    ),
    "seal_unknown": (
        ("没有这枚印章", "No such seal"),
        ("编码有误，或您没有权限查看。", "The number is wrong, or you may not see it."),
    ),
    "seal_refused": (("印章内容有误", "The seal is not in order"), ("没有执行任何操作。", "Nothing was done.")),
    "forbidden": (
        ("没有这项权限", "You may not do this"),
        (
            "您的任命中没有这项权限。如有需要，请系统运维人员调整。",
            "Your office lacks this right. The operator can give it.",
        ),
    ),
    "csrf_refused": (
        ("页面已过期", "This page is out of date"),
        (
            "请返回上一页，刷新后重新提交。没有执行任何操作。",
            "Go back, load the page again and send the form. Nothing was done.",
        ),
    ),
    "console_sign_in_refused": (
        ("没有登录成功", "You were not signed in"),
        (
            "这次登录已失效，或不是由本浏览器发起。请重新登录。",
            "This sign-in is over, or was begun elsewhere. Begin again.",
        ),
    ),
    "console_not_registered": (
        ("控制台尚未就绪", "The console is not ready"),
        ("请系统运维人员运行 xinyin migrate。", "The operator runs xinyin migrate first."),
    ),
    "console_form_unreadable": (
        ("填写的内容无法识别", "What was sent cannot be read"),
        ("请返回上一页检查后重新提交。", "Go back, check and send it again."),
    ),
    "use_request_closed": (
        ("这次用印申请已结束", "This use request is closed"),
        ("它已有结论，或已过期。", "It was decided, or its time is over."),
    ),
    "use_request_mismatch": (
        ("内容与您看到的不一致", "This is not what you were shown"),
        (
            "请重新打开申请，核对后再处理。没有执行任何操作。",
            "Open the request again and look at it. Nothing was done.",
        ),
    ),
    "use_request_unknown": (
        ("没有这份用印申请", "No such use request"),
        ("编号有误，或与您无关。", "The id is wrong, or it is none of yours."),
    ),
    "use_request_refused": (
        ("用印申请有误", "The use request is not in order"),
        ("请检查后重新处理。", "Check it and try again."),
    ),
    "batch_unknown": (
        ("没有这个批次", "No such batch"),
        ("编号有误，或您没有权限查看。", "The id is wrong, or you may not see it."),
    ),
    "batch_refused": (
        ("批次当前状态不能这样操作", "Not possible in the batch's state"),
        ("它可能刚刚完成或已被他人操作，请刷新查看。", "It may just have ended, or somebody else was faster."),
    ),
    "object_not_found": (
        ("没有这份材料", "No such paper"),
        ("它不属于这件办件。", "It does not belong to this affair."),
    ),
    "sealing_in_progress": (
        ("正在处理", "In progress"),
        ("这次签章正在进行，请一分钟后再看。", "It is being worked on: look again in a minute."),
    ),
    "sealing_not_retryable": (
        ("不能由此补完", "It cannot be taken up here"),
        ("文件已不在系统中，须由业务系统重新发起。", "The document is not at hand: the calling system sends it again."),
    ),
    "timestamp_unavailable": (
        ("时间戳服务暂时不可用", "No time stamp now"),
        ("文件没有签章，请稍后重试。", "Nothing was sealed; try again later."),
    ),
    "ledger_filter_refused": (
        ("筛选条件有误", "The filter is not in order"),
        ("请检查后重新查询。", "Check it and ask again."),
    ),
}
_OTHERWISE: tuple[Words, Words] = (
    ("未能完成", "It could not be done"),
    ("没有执行任何操作，请稍后再试。", "Nothing was done; please try again later."),
)


def explained(code: str) -> tuple[Words, Words]:
    """Give the title and the advice of a refusal."""
    return REFUSAL.get(code, _OTHERWISE)


def chip(table: Mapping[str, Chip], value: str) -> Chip:
    """Give the chip of a state; one that is unknown here is shown by its own name."""
    return table.get(value, (value, value, "grey"))


def called(table: Mapping[str, Words], value: str) -> Words:
    """Give the words for something; what is unknown here is shown by its own name."""
    return table.get(value, (value, value))


def kind_called(kind: int) -> Words:
    """Give the words for a kind of seal."""
    return SEAL_KIND.get(kind, (f"第 {kind} 类印章", f"kind {kind}"))
