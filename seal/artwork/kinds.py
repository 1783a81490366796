"""Kinds of seals, one row each: who uses it, how large it is and what it shows.

国发〔1999〕25号 (State Council, 1999-10-31) sets diameter and centre of the seals of state organs, and at most 45 mm
for public institutions, enterprises and associations. 国家税务总局公告2011年第7号 sets the invoice seal to the tenth of
a millimetre. The other rows are what seal makers registered with the police practise; provinces differ.
"""

from seal.artwork.model import Centre, Kind, Shape

_EMBLEM, _STAR = Centre.EMBLEM, Centre.STAR

KINDS = {
    # State organs: the diameter is the rank (国发〔1999〕25号).
    "state-council": Kind(title="国务院", english="State Council", size_mm=(60, 60), centre=_EMBLEM),
    "ministry": Kind(
        title="省级人民政府、国务院部委", english="provincial government, ministry", size_mm=(50, 50), centre=_EMBLEM
    ),
    "coordinating": Kind(
        title="国务院议事协调机构", english="coordinating body of the State Council", size_mm=(50, 50), centre=_STAR
    ),
    "deputy-ministry": Kind(
        title="部委管理的国家局", english="national bureau under a ministry", size_mm=(45, 45), centre=_EMBLEM
    ),
    "foreign-affairs": Kind(
        title="部委外事司局", english="foreign affairs office of a ministry", size_mm=(42, 42), centre=_EMBLEM
    ),
    "county": Kind(
        title="市、县、区人民政府", english="government of a city, county or district", size_mm=(45, 45), centre=_EMBLEM
    ),
    "prefecture": Kind(title="地区行政公署", english="prefectural office", size_mm=(45, 45), centre=_STAR),
    "township": Kind(title="乡镇人民政府", english="government of a town", size_mm=(42, 42), centre=_STAR),
    "department": Kind(
        title="机关内设机构、直属单位",
        english="department of a state organ",
        size_mm=(42, 42),
        widths_mm=range(38, 46),
        centre=_STAR,
    ),
    "institution": Kind(
        title="事业单位、社会团体",
        english="public institution, association",
        size_mm=(42, 42),
        widths_mm=range(38, 46),
        centre=_STAR,
    ),
    # Enterprises.
    "company": Kind(
        title="有限责任公司", english="limited company", size_mm=(40, 40), widths_mm=range(38, 46), centre=_STAR
    ),
    "joint-stock": Kind(
        title="股份有限公司", english="joint-stock company", size_mm=(42, 42), widths_mm=range(40, 46), centre=_STAR
    ),
    "foreign-invested": Kind(
        title="外商投资企业", english="foreign-invested company", size_mm=(45, 30), shape=Shape.OVAL, border_mm=1.0
    ),
    # For one purpose: the line says which.
    "special": Kind(
        title="专用章",
        english="seal for one purpose, named by its line",
        size_mm=(40, 40),
        widths_mm=range(38, 46),
        border_mm=1.0,
        centre=_STAR,
    ),
    "contract": Kind(
        title="合同专用章",
        english="contract seal",
        size_mm=(40, 40),
        widths_mm=range(38, 43),
        border_mm=1.0,
        line="合同专用章",
    ),
    "finance": Kind(
        title="财务专用章",
        english="finance seal",
        size_mm=(38, 38),
        widths_mm=range(36, 43),
        border_mm=1.0,
        line="财务专用章",
    ),
    "invoice": Kind(
        title="发票专用章",
        english="invoice seal",
        size_mm=(40, 30),
        shape=Shape.INVOICE,
        border_mm=1.0,
        line="发票专用章",
    ),
    "tax-supervision": Kind(
        title="发票监制章", english="invoice supervision seal", size_mm=(30, 20), shape=Shape.OVAL, border_mm=0.8
    ),
    "finance-square": Kind(
        title="财务方章",
        english="square finance seal",
        size_mm=(25, 25),
        shape=Shape.SQUARE,
        widths_mm=range(22, 36),
        border_mm=1.0,
        line="财务专用章",
    ),
    # Persons.
    "representative": Kind(
        title="法定代表人名章",
        english="name seal of a legal representative",
        size_mm=(20, 20),
        shape=Shape.PERSONAL,
        widths_mm=range(16, 26),
        border_mm=0.9,
        line="印",
    ),
    "personal": Kind(
        title="个人名章",
        english="personal name seal",
        size_mm=(18, 18),
        shape=Shape.PERSONAL,
        widths_mm=range(12, 26),
        border_mm=0.8,
    ),
}
