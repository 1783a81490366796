import java.io.ByteArrayInputStream;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import org.bouncycastle.asn1.ASN1BitString;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Sequence;

/**
 * SES_Signature V4 (GB/T 38540-2020 7): BouncyCastle reads and calculates, what holds what together is told here.
 *
 * <p>SEQUENCE{ toSign SEQUENCE{ version, eseal, timeInfo, dataHash, propertyInfo }, cert, signatureAlgID, signature, … }
 * and eseal is SEQUENCE{ eSealInfo SEQUENCE{ header, esID, property SEQUENCE{ …, 2: listType, 3: list, … }, … }, cert, alg,
 * signedValue }.
 */
final class Ses {
    private final ASN1Sequence toSign;
    private final ASN1Sequence whole;
    private final ASN1Sequence seal;
    final X509Certificate signer;
    final X509Certificate maker;

    Ses(byte[] contents) throws Exception {
        whole = ASN1Sequence.getInstance(contents);
        toSign = ASN1Sequence.getInstance(whole.getObjectAt(0));
        seal = ASN1Sequence.getInstance(toSign.getObjectAt(1));
        signer = certificate(whole.getObjectAt(1));
        maker = certificate(seal.getObjectAt(1));
    }

    /** What is wrong, or nothing. */
    String wrong(byte[] content) throws Exception {
        byte[] digest = MessageDigest.getInstance("SM3", "BC").digest(content);
        if (!Arrays.equals(digest, bits(toSign.getObjectAt(3)))) {
            return "invalid dataHash";
        }
        if (!holds(signer, toSign, bits(whole.getObjectAt(3)))) {
            return "invalid signature";
        }
        if (!holds(maker, seal.getObjectAt(0), bits(seal.getObjectAt(3)))) {
            return "invalid seal";
        }
        return lists() ? "" : "invalid signer is not listed in the seal";
    }

    List<X509Certificate> certificates() {
        return List.of(signer, maker);
    }

    private boolean lists() throws Exception {
        ASN1Sequence property = ASN1Sequence.getInstance(ASN1Sequence.getInstance(seal.getObjectAt(0)).getObjectAt(2));
        for (ASN1Encodable each : ASN1Sequence.getInstance(property.getObjectAt(3))) {
            if (Arrays.equals(ASN1OctetString.getInstance(each).getOctets(), signer.getEncoded())) {
                return true;
            }
        }
        return false;
    }

    private static boolean holds(X509Certificate by, ASN1Encodable signed, byte[] value) throws Exception {
        Signature verifier = Signature.getInstance("SM3withSM2", "BC");
        verifier.initVerify(by.getPublicKey());
        verifier.update(signed.toASN1Primitive().getEncoded());
        return verifier.verify(value);
    }

    private static byte[] bits(ASN1Encodable field) {
        return ASN1BitString.getInstance(field).getOctets();
    }

    private static X509Certificate certificate(ASN1Encodable field) throws Exception {
        byte[] octets = ASN1OctetString.getInstance(field).getOctets();
        CertificateFactory reader = CertificateFactory.getInstance("X.509", "BC");
        return (X509Certificate) reader.generateCertificate(new ByteArrayInputStream(octets));
    }
}
