"""The story's papers: an invented agreement of some pages, written as OFD."""

from datetime import date

from seal.formats.ofd.document import About, Document, Heading, Paragraph, document_font, flow, write_ofd

_PAGES_OF_TEXT = 9
_WRITTEN = date(2026, 11, 22)
_CLAUSE = (
    "第{number}条　甲方向乙方提供政务数据共享接口，乙方仅可用于约定的办理事项，不得留存、转让或者用于其他目的；"
    "乙方应当按照国家有关规定落实商用密码应用与个人信息保护要求，并接受甲方的监督检查。因违反本条造成损失的，"
    "由乙方承担相应责任。本条款内容为演示所用，机关、单位、编号均为虚构，不具有法律效力。"
)


def contract() -> bytes:
    """Write the agreement: several pages, with the words that a seal is to stand at on the last."""
    clauses = [Paragraph(text=_CLAUSE.format(number=number)) for number in range(1, 2 * _PAGES_OF_TEXT)]
    blocks: list[Heading | Paragraph] = [
        Heading(text="政务数据共享协议（示例）"),
        *clauses,
        Paragraph(text="甲方：云江市政务服务局（盖章）", right=True),
        Paragraph(text="2026年11月22日", right=True),
    ]
    document = Document(
        about=About(doc_id="9d1c7f0b5e2a4c86a3f4d1e7b8c90215", title="政务数据共享协议（示例）", created=_WRITTEN),
        pages=flow(blocks, font=document_font()),
    )
    return write_ofd(document)
