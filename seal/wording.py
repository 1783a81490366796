"""Wording: what each finding means, in Chinese and in English, for people who know neither PDF nor ASN.1."""

from collections.abc import Mapping

WORDING: Mapping[str, tuple[str, str]] = {
    # The file as a whole.
    "CANNOT_VERIFY": ("文件无法完整读取，现在不能得出结论", "The file could not be read to the end; no conclusion now"),
    "PACKAGE_MALFORMED": ("文件结构损坏", "The file's structure is damaged"),
    "PACKAGE_UNREADABLE": ("文件无法读取，也看不到签章", "The file cannot be read; no signature is to be seen in it"),
    "DOCUMENT_ENCRYPTED": ("文件已加密，无法核验", "The file is encrypted and cannot be judged"),
    "SIGNATURE_UNREACHABLE": (
        "文件中有疑似签名的数据，但不属于任何签名域",
        "Something looks like a signature, yet no field leads to it",
    ),
    "SIGNATURE_REMOVED": ("原有的签章被移除", "A signature that was there has been removed"),
    "SIGNATURE_SHARED": ("两个签名域指向同一个签名", "Two fields show one and the same signature"),
    "NO_SIGNATURE": ("文件中没有签章", "The file bears no signature"),
    "DOCUMENT_WITHOUT_SEAL": ("该文档部分没有签章", "One document in the package bears no signature"),
    "SIGNATURE_FILE_MISSING": ("签章文件缺失", "A signature's file is missing"),
    "SIGNED_VALUE_MISSING": ("签名值缺失", "The signature value is missing"),
    "UNCOVERED_CONTENT": ("部分内容不受签章保护", "Some content is not protected by the signature"),
    "SHOWN_CONTENT_UNCOVERED": (
        "文件引用的部分内容不受签章保护，可能在盖章后被添加或替换",
        "Content that the document refers to is not protected: it may have been added or exchanged after sealing",
    ),
    "DOCUMENT_AMBIGUOUS": (
        "文件同时是PDF和OFD，不同软件会显示不同内容",
        "The file is a PDF and an OFD at once: what it shows depends on the reader",
    ),
    "INTEGRITY_LIST_MALFORMED": ("文件清单损坏，无法读取", "The list of the package's files is damaged"),
    "INTEGRITY_LIST_FILE_ADDED": ("包内有文件清单以外的文件", "The package holds a file that its list does not name"),
    "INTEGRITY_LIST_FILE_MISSING": ("文件清单中的文件缺失", "A file that the package's list names is missing"),
    "PAGES_UNCOVERED": ("部分页面不受签章保护", "Some pages are not protected by the signature"),
    "UNKNOWN_TAIL": ("文件末尾有不受签章保护的数据", "Data at the end of the file is not protected by any signature"),
    "CHANGED_AFTER_SIGNING": ("盖章后文件内容被修改", "The content was changed after sealing"),
    "CERTIFICATION_NOT_FIRST": (
        "认证签名不是文件的第一个签名",
        "A signature certifies the document though it is not its first",
    ),
    "CERTIFICATION_UNCLEAR": (
        "文件目录与签名对哪个是认证签名说法不一",
        "The file and its signatures disagree on which of them certifies it",
    ),
    "BYTE_RANGE_INVALID": ("签章保护范围不正确", "The range the signature protects is not right"),
    # The signature's own structure and value.
    "CMS_MALFORMED": ("签名数据结构损坏", "The signature's structure is damaged"),
    "CONTENT_ENCAPSULATED": ("签名自带内容，不是对本文件的签名", "The signature brings a content of its own"),
    "SES_FORMAT_ERROR": ("电子签章数据结构损坏", "The e-seal signature's structure is damaged"),
    "SES_VERSION_MISMATCH": ("签章与印章的版本不一致", "The signature and the seal in it differ in version"),
    "UNKNOWN_CRITICAL_EXTENSION": ("含有不认识的扩展项", "It carries an extension that is not known here"),
    "SIGNER_COUNT": ("签名中应有且只有一个签名者", "A signature has one signer, no more and no fewer"),
    "SUBFILTER_UNSUPPORTED": ("不支持的签名类型", "This kind of signature is not supported"),
    "SIGNATURE_INVALID": ("签名值不正确，签章无效", "The signature value is wrong"),
    "ALGORITHM_UNSUPPORTED": ("不支持的签名算法", "The signature algorithm is not supported"),
    "ALGORITHM_CERT_MISMATCH": ("签名算法与证书不符", "The signature algorithm does not fit the certificate"),
    "WEAK_DIGEST": ("使用了已不安全的摘要算法", "A digest algorithm is used that is no longer safe"),
    "ALGORITHM_WEAK": ("使用了已不推荐的算法或密钥", "An algorithm or key is used that no new signature should use"),
    "SIGNING_CERT_MISMATCH": ("签名绑定的证书与所附证书不符", "The signature names another certificate"),
    "SIGNING_CERT_NOT_BOUND": ("签名没有绑定签名者证书", "Nothing signed names the signer's certificate"),
    "SIGNING_CERTIFICATE_MISMATCH": ("签名绑定的证书与所附证书不符", "The signature names another certificate"),
    # What was signed.
    "DATA_HASH_MISMATCH": ("文件内容被改动，与签章时不一致", "The content is not what was sealed"),
    "REFERENCE_MISMATCH": ("受保护的文件被改动", "A protected part was changed"),
    "REFERENCE_MISSING": ("受保护的文件缺失", "A protected part is missing"),
    # Where the seal's picture stands.
    "STAMP_PAGE_UNKNOWN": ("印章图片所在的页不存在", "The seal's picture stands on a page that does not exist"),
    "STAMP_PAGE_AMBIGUOUS": (
        "有多个页使用同一标识，不能确定印章图片在哪一页",
        "Several pages bear the name of the page with the seal's picture: readers differ on where it stands",
    ),
    "STAMP_SHOWS_NOTHING": ("印章图片在页面上不可见", "Nothing of the seal's picture is to be seen on its page"),
    # The signer.
    "SIGNER_CERT_MISSING": ("没有签名者证书", "The signer's certificate is not there"),
    "SIGNER_CERT_UNTRUSTED": (
        "签名者证书的颁发者不在信任列表中",
        "The signer's certificate is not known to be trusted",
    ),
    "SIGNER_CERT_KEY_USAGE": ("签名者证书不允许用于签名", "The signer's certificate is not for signing"),
    "SIGNER_CERT_REVOKED": ("签名时签名者证书已被吊销", "The signer's certificate was revoked when it signed"),
    "SIGNER_KEY_COMPROMISED": (
        "签名者密钥此后被报告泄露，且没有可信时间戳证明签章在此之前",
        "The signer's key was reported stolen since, and no trusted time-stamp shows that it signed before",
    ),
    "CA_CERT_REVOKED": (
        "签名时证书链上的颁发者证书已被吊销",
        "An authority's certificate above the signer's was revoked at the time",
    ),
    "CA_KEY_COMPROMISED": (
        "颁发者密钥此后被报告泄露，且没有可信时间戳证明签章在此之前",
        "An authority's key was reported stolen since, and no trusted time-stamp shows that it was used before",
    ),
    "REVOKED_SINCE": ("当时证书有效，此后被吊销", "Valid at the time of sealing, revoked since"),
    "SIGN_TIME_OUTSIDE_CERT": ("签名时间不在证书有效期内", "The time of signing is outside the certificate's validity"),
    "SIGN_TIME_UNKNOWN": ("不知道签名时间", "The time of signing is not known"),
    "TIME_NOT_PROVED": (
        "签章时间仅为签名者自述，（尚）无可信时间戳证明",
        "The time of sealing is only claimed by the signer: no trusted time-stamp proves it (yet)",
    ),
    "REVOCATION_NOT_OFFERED": ("证书没有提供吊销查询", "The certificate offers no way to ask for its revocation"),
    "REVOCATION_UNKNOWN": ("未能查询证书是否被吊销", "Whether the certificate was revoked is not known"),
    # The seal.
    "SEAL_SIGNATURE_INVALID": ("印章数据被改动或不是制章者所制", "The seal is not as its maker signed it"),
    "SEAL_MAKER_CERT_UNTRUSTED": ("制章者证书的颁发者不在信任列表中", "The seal maker is not known to be trusted"),
    "SEAL_MAKER_CERT_KEY_USAGE": ("制章者证书不允许用于签名", "The seal maker's certificate is not for signing"),
    "SEAL_MAKER_CERT_NOT_VALID": ("制章时制章者证书不在有效期内", "The seal maker's certificate was not valid then"),
    "SEAL_MAKER_CERT_REVOKED": (
        "签章时制章者证书已被吊销",
        "The seal maker's certificate was revoked when the seal was used",
    ),
    "SEAL_MAKER_KEY_COMPROMISED": (
        "制章者密钥此后被报告泄露，且没有可信时间戳证明印章在此之前",
        "The seal maker's key was reported stolen since, and no trusted time-stamp shows that the seal is older",
    ),
    "SEAL_MAKER_NOT_VALID_AT_MAKE": (
        "制章早于制章者证书生效",
        "The seal was made before its maker's certificate began",
    ),
    "SEAL_NOT_VALID_AT_SIGN_TIME": ("签章时印章不在有效期内", "The seal was outside its validity when it was used"),
    "SIGNER_NOT_IN_SEAL": ("签名者证书不在印章的证书列表中", "The signer is not among those who may use this seal"),
    "SEAL_FILE_MISMATCH": ("文件中的印章与签章内的印章不一致", "The seal in the file differs from the one signed with"),
    "SEAL_REVOKED": ("签章时印章已被吊销", "The seal was revoked when it was used"),
    "SEAL_SUSPENDED": ("签章时印章处于停用状态", "The seal was suspended when it was used"),
    "SEAL_DESTROYED": ("签章时印章已被销毁", "The seal had been destroyed when it was used"),
    "SEAL_NOT_ACTIVATED": ("签章时印章尚未启用", "The seal had not been put into use when it sealed"),
    "SEAL_LOST": ("签章时印章已挂失", "The seal had been reported lost when it was used"),
    "SEAL_UNKNOWN": ("本系统没有该印章的状态记录", "This register keeps no record of the seal"),
    # The time-stamp.
    "TIMESTAMP_INVALID": ("时间戳无效", "The time-stamp is not valid"),
    "TIMESTAMP_UNTRUSTED": ("时间戳的颁发者不在信任列表中", "The time-stamp's issuer is not known to be trusted"),
    "TSA_CERT_UNTRUSTED": ("时间戳证书的颁发者不在信任列表中", "The time-stamper is not known to be trusted"),
    "TSA_CERT_MISSING": ("没有时间戳证书", "The time-stamper's certificate is not there"),
    "TSA_CERT_KEY_USAGE": ("时间戳证书不允许用于时间戳", "The time-stamper's certificate is not for time-stamps"),
    "TSA_CERT_REVOKED": ("时间戳证书当时已被吊销", "The time-stamper's certificate was revoked then"),
    "TSA_KEY_COMPROMISED": (
        "时间戳密钥此后被报告泄露，不能再证明时间",
        "The time-stamper's key was reported stolen since: the time is not proved",
    ),
    "TSA_CERT_NOT_VALID": ("时间戳证书当时不在有效期内", "The time-stamper's certificate was not valid then"),
}


def wording(code: str) -> tuple[str, str]:
    """Give the Chinese and English words for a finding's code; for an unknown code, the code itself."""
    return WORDING.get(code, (code, code))
