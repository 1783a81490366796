import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.Security;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1GeneralizedTime;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1UTCTime;
import org.bouncycastle.asn1.DERIA5String;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.ofdrw.core.basicType.ST_Box;
import org.ofdrw.crypto.integrity.GMProtectSigner;
import org.ofdrw.crypto.integrity.OFDIntegrity;
import org.ofdrw.gm.cert.PKCGenerate;
import org.ofdrw.gm.ses.v1.SES_ESPictrueInfo;
import org.ofdrw.gm.ses.v1.SES_Header;
import org.ofdrw.gm.ses.v1.SES_SignInfo;
import org.ofdrw.gm.ses.v4.SES_CertList;
import org.ofdrw.gm.ses.v4.SES_ESPropertyInfo;
import org.ofdrw.reader.OFDReader;
import org.ofdrw.reader.keyword.KeywordExtractor;
import org.ofdrw.reader.keyword.KeywordPosition;
import org.ofdrw.sign.ExtendSignatureContainer;
import org.ofdrw.sign.OFDSigner;
import org.ofdrw.sign.SignMode;
import org.ofdrw.sign.signContainer.GBT35275DSContainer;
import org.ofdrw.sign.signContainer.GBT35275PKCS9DSContainer;
import org.ofdrw.sign.signContainer.SESV1Container;
import org.ofdrw.sign.signContainer.SESV4Container;
import org.ofdrw.sign.stamppos.CuttingRideStampPos;
import org.ofdrw.sign.stamppos.NormalStampPos;
import org.ofdrw.sign.stamppos.RidingStampPos;
import org.ofdrw.sign.stamppos.Side;

/** Documents as ofdrw makes them, with keys and certificates of this run. */
final class Maker {
    private static final int SIDE_MM = 40;
    private static final Duration VALIDITY = Duration.ofDays(365);

    private KeyPair makerKey;
    private KeyPair userKey;
    private X509Certificate makerCertificate;
    private X509Certificate userCertificate;
    private SES_ESPictrueInfo picture;

    // --- who seals ---------------------------------------------------------------------------------------------

    void makeWorld(String pictureFile, String folder) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        KeyPair rootKey = PKCGenerate.GenerateKeyPair();
        X509Certificate root = root(rootKey);
        makerKey = PKCGenerate.GenerateKeyPair();
        makerCertificate = certified(makerKey, "CN=Judge seal maker", root, rootKey);
        Thread.sleep(5); // the serial number is the clock's milliseconds
        userKey = PKCGenerate.GenerateKeyPair();
        userCertificate = certified(userKey, "CN=Judge signer", root, rootKey);
        picture = new SES_ESPictrueInfo()
                .setType("PNG")
                .setData(Files.readAllBytes(Path.of(pictureFile)))
                .setWidth(SIDE_MM)
                .setHeight(SIDE_MM);
        Files.write(Path.of(folder, "root.cer"), root.getEncoded());
        Files.write(Path.of(folder, "maker.cer"), makerCertificate.getEncoded());
        Files.write(Path.of(folder, "user.cer"), userCertificate.getEncoded());
    }

    private static X509Certificate root(KeyPair key) throws Exception {
        X500Name name = new X500Name("CN=Judge root");
        Instant now = Instant.now();
        var builder = new JcaX509v3CertificateBuilder(
                        name, BigInteger.ONE, Date.from(now.minus(VALIDITY)), Date.from(now.plus(VALIDITY)),
                        name, key.getPublic())
                .addExtension(Extension.basicConstraints, true, new BasicConstraints(true))
                .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
        var signer = new JcaContentSignerBuilder("SM3withSM2").setProvider("BC").build(key.getPrivate());
        return new JcaX509CertificateConverter().setProvider("BC").getCertificate(builder.build(signer));
    }

    private static X509Certificate certified(KeyPair key, String subject, X509Certificate root, KeyPair rootKey)
            throws Exception {
        return PKCGenerate.GenCert(PKCGenerate.CertRequest(key, new X500Name(subject)), root, rootKey.getPrivate());
    }

    // --- seals -------------------------------------------------------------------------------------------------

    private org.ofdrw.gm.ses.v1.SESeal sealV1() throws Exception {
        var property = new org.ofdrw.gm.ses.v1.SES_ESPropertyInfo()
                .setType(org.ofdrw.gm.ses.v1.SES_ESPropertyInfo.OrgType)
                .setName(new DERUTF8String("Judge V1"))
                .setCertList(new DERSequence(new DEROctetString(userCertificate.getEncoded())))
                .setCreateDate(new ASN1UTCTime(Date.from(Instant.now())))
                .setValidStart(new ASN1UTCTime(Date.from(Instant.now())))
                .setValidEnd(new ASN1UTCTime(Date.from(Instant.now().plus(VALIDITY))));
        var sealInfo = new org.ofdrw.gm.ses.v1.SES_SealInfo()
                .setHeader(new SES_Header(new ASN1Integer(1), new DERIA5String("OFDRW")))
                .setEsID("99010000000021")
                .setProperty(property)
                .setPicture(picture);
        var certificate = new DEROctetString(makerCertificate.getEncoded());
        var covered = new DERSequence(new ASN1Encodable[] {
            sealInfo, certificate, GMObjectIdentifiers.sm2sign_with_sm3
        });
        var signed = new SES_SignInfo()
                .setCert(certificate)
                .setSignatureAlgorithm(GMObjectIdentifiers.sm2sign_with_sm3)
                .setSignData(signature(makerKey.getPrivate(), covered.getEncoded("DER")));
        return new org.ofdrw.gm.ses.v1.SESeal(sealInfo, signed);
    }

    private org.ofdrw.gm.ses.v4.SESeal sealV4() throws Exception {
        var listed = new DERSequence(new DEROctetString(userCertificate.getEncoded()));
        var property = new SES_ESPropertyInfo()
                .setType(new ASN1Integer(1))
                .setName(new DERUTF8String("Judge V4"))
                .setCertListType(SES_ESPropertyInfo.CertListType)
                .setCertList(SES_CertList.getInstance(SES_ESPropertyInfo.CertListType, listed))
                .setCreateDate(new ASN1GeneralizedTime(Date.from(Instant.now())))
                .setValidStart(new ASN1GeneralizedTime(Date.from(Instant.now())))
                .setValidEnd(new ASN1GeneralizedTime(Date.from(Instant.now().plus(VALIDITY))));
        var sealInfo = new org.ofdrw.gm.ses.v4.SES_SealInfo()
                .setHeader(new SES_Header(SES_Header.V4, new DERIA5String("OFDRW")))
                .setEsID(new DERIA5String("99010000000024"))
                .setProperty(property)
                .setPicture(picture);
        return new org.ofdrw.gm.ses.v4.SESeal()
                .seteSealInfo(sealInfo)
                .setCert(makerCertificate)
                .setSignAlgID(GMObjectIdentifiers.sm2sign_with_sm3)
                .setSignedValue(signature(makerKey.getPrivate(), sealInfo.getEncoded("DER")));
    }

    private static byte[] signature(PrivateKey key, byte[] message) throws GeneralSecurityException {
        Signature signature = Signature.getInstance("SM3WithSM2", new BouncyCastleProvider());
        signature.initSign(key);
        signature.update(message);
        return signature.sign();
    }

    // --- documents ---------------------------------------------------------------------------------------------

    void sign(String[] words) throws Exception {
        try (OFDReader reader = new OFDReader(Path.of(words[1]));
                OFDSigner signer = new OFDSigner(reader, Path.of(words[2]))) {
            signer.setSignMode(words[4].equals("whole") ? SignMode.WholeProtected : SignMode.ContinueSign);
            signer.setSignContainer(container(words[3]));
            for (String place : List.of(words).subList(5, words.length)) {
                put(signer, reader, place.split(","));
            }
            signer.exeSign();
        }
    }

    private ExtendSignatureContainer container(String kind) throws Exception {
        return switch (kind) {
            case "v1" -> new SESV1Container(userKey.getPrivate(), sealV1(), userCertificate);
            case "v4" -> new SESV4Container(userKey.getPrivate(), sealV4(), userCertificate);
            case "digest" -> new GBT35275DSContainer(userCertificate, userKey.getPrivate());
            case "base64" -> {
                var container = new GBT35275DSContainer(userCertificate, userKey.getPrivate());
                container.setEnableFileHashBase64(true);
                yield container;
            }
            case "attributes" -> new GBT35275PKCS9DSContainer(userCertificate, userKey.getPrivate());
            default -> throw new IllegalArgumentException("unknown container " + kind);
        };
    }

    private static void put(OFDSigner signer, OFDReader reader, String[] place) throws Exception {
        switch (place[0]) {
            case "point" -> signer.addApPos(new NormalStampPos(
                    Integer.parseInt(place[1]), Double.parseDouble(place[2]), Double.parseDouble(place[3]),
                    SIDE_MM, SIDE_MM));
            case "straddle" -> signer.addApPos(new RidingStampPos(Side.valueOf(place[1]), SIDE_MM, SIDE_MM));
            case "facing" -> signer.addApPos(
                    new CuttingRideStampPos(Side.valueOf(place[1]), null, SIDE_MM, SIDE_MM, 0, null));
            case "keyword" -> {
                List<KeywordPosition> found = KeywordExtractor.getKeyWordPositionList(reader, place[1]);
                if (found.isEmpty()) {
                    throw new IOException("the keyword is not found");
                }
                for (KeywordPosition position : found) {
                    ST_Box box = position.getBox();
                    signer.addApPos(new NormalStampPos(
                            position.getPage(),
                            box.getTopLeftX() + (box.getWidth() - SIDE_MM) / 2,
                            box.getTopLeftY() + (box.getHeight() - SIDE_MM) / 2,
                            SIDE_MM, SIDE_MM));
                }
            }
            default -> throw new IllegalArgumentException("unknown place " + place[0]);
        }
    }

    void protect(String source, String out) throws Exception {
        try (OFDIntegrity integrity = new OFDIntegrity(Path.of(source), Path.of(out))) {
            integrity.protect(new GMProtectSigner(userKey.getPrivate(), userCertificate));
        }
    }
}
