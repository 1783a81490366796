// Judges revocation lists, OCSP answers and time-stamp responses with BouncyCastle.
// Arguments come in fours: kind, file, issuer or authority certificate file, further file. One line is printed for each:
//   crl LIST ISSUER SERIAL(INTEGER)           "valid revoked REASON number N" | "valid good number N"
//   ocsp ANSWER RESPONDER SERIAL(INTEGER)     "valid good" | "valid revoked REASON" | "valid unknown"
//   tst RESPONSE AUTHORITY REQUEST            "valid SERIAL"
// or else "invalid WHY" or "error EXCEPTION".

import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1Enumerated;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.cert.X509CRLEntryHolder;
import org.bouncycastle.cert.X509CRLHolder;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.ocsp.BasicOCSPResp;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPResp;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.cert.ocsp.SingleResp;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentVerifierProvider;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.tsp.TSPException;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampResponse;

public final class JudgePki {
    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        for (int at = 0; at + 3 < arguments.length; at += 4) {
            byte[] judged = Files.readAllBytes(Path.of(arguments[at + 1]));
            byte[] certificate = Files.readAllBytes(Path.of(arguments[at + 2]));
            byte[] further = Files.readAllBytes(Path.of(arguments[at + 3]));
            System.out.println(verdict(arguments[at], judged, certificate, further).replace('\n', ' '));
        }
    }

    private static String verdict(String kind, byte[] judged, byte[] certificate, byte[] further) {
        try {
            X509CertificateHolder holder = new X509CertificateHolder(certificate);
            switch (kind) {
                case "crl":
                    return list(new X509CRLHolder(judged), holder, ASN1Integer.getInstance(further).getValue());
                case "ocsp":
                    return answer(new OCSPResp(judged), holder, ASN1Integer.getInstance(further).getValue());
                case "tst":
                    return stamp(new TimeStampResponse(judged), holder, new TimeStampRequest(further));
                default:
                    return "error unknown kind " + kind;
            }
        } catch (TSPException refused) {
            return "invalid " + refused.getMessage();
        } catch (Exception error) {
            return "error " + error;
        }
    }

    private static ContentVerifierProvider verifier(X509CertificateHolder holder) throws Exception {
        return new JcaContentVerifierProviderBuilder().setProvider("BC").build(holder);
    }

    private static String list(X509CRLHolder list, X509CertificateHolder issuer, BigInteger serial) throws Exception {
        if (!list.getIssuer().equals(issuer.getSubject()) || !list.isSignatureValid(verifier(issuer))) {
            return "invalid signature";
        }
        String number = " number " + ASN1Integer.getInstance(list.getExtension(Extension.cRLNumber).getParsedValue());
        X509CRLEntryHolder entry = list.getRevokedCertificate(serial);
        if (entry == null) {
            return "valid good" + number;
        }
        Extension reason = entry.getExtension(Extension.reasonCode);
        String why = reason == null ? "0" : ASN1Enumerated.getInstance(reason.getParsedValue()).getValue().toString();
        return "valid revoked " + why + number;
    }

    private static String answer(OCSPResp answer, X509CertificateHolder responder, BigInteger serial) throws Exception {
        BasicOCSPResp basic = (BasicOCSPResp) answer.getResponseObject();
        if (!basic.isSignatureValid(verifier(responder))) {
            return "invalid signature";
        }
        for (SingleResp single : basic.getResponses()) {
            if (single.getCertID().getSerialNumber().equals(serial)) {
                CertificateStatus status = single.getCertStatus();
                if (status == null) {
                    return "valid good";
                }
                if (status instanceof RevokedStatus) {
                    RevokedStatus revoked = (RevokedStatus) status;
                    return "valid revoked " + (revoked.hasRevocationReason() ? revoked.getRevocationReason() : 0);
                }
                return "valid unknown";
            }
        }
        return "invalid not answered";
    }

    private static String stamp(TimeStampResponse response, X509CertificateHolder authority, TimeStampRequest request)
            throws Exception {
        response.validate(request);
        response.getTimeStampToken().validate(
            new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(authority));
        return "valid " + response.getTimeStampToken().getTimeStampInfo().getSerialNumber();
    }
}
