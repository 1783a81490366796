// SM2 by BouncyCastle. Encryption is C1||C3||C2: arguments are triples of "encrypt" POINT MESSAGE or "decrypt" SCALAR
// CIPHERTEXT, in hexadecimal. Signatures are DER under an identifier: "sign:ID" SCALAR MESSAGE, or "verify:ID:SIGNATURE"
// POINT MESSAGE. Prints one line a triple: the octets that came out, "true" or "false", or "refused WHY".

import java.math.BigInteger;
import java.security.SecureRandom;
import org.bouncycastle.crypto.CipherParameters;
import org.bouncycastle.crypto.engines.SM2Engine;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.params.ParametersWithID;
import org.bouncycastle.crypto.params.ParametersWithRandom;
import org.bouncycastle.crypto.signers.SM2Signer;
import org.bouncycastle.asn1.gm.GMNamedCurves;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.util.encoders.Hex;

public final class JudgeSm2 {
    private static final X9ECParameters CURVE = GMNamedCurves.getByName("sm2p256v1");
    private static final ECDomainParameters DOMAIN = new ECDomainParameters(CURVE);

    public static void main(String[] wishes) {
        for (int at = 0; at + 2 < wishes.length; at += 3) {
            String[] wish = wishes[at].split(":");
            byte[] key = Hex.decode(wishes[at + 1]), octets = Hex.decode(wishes[at + 2]);
            System.out.println(wish.length > 1 ? signature(wish, key, octets) : answer(wish[0].equals("encrypt"), key, octets));
        }
    }

    private static String signature(String[] wish, byte[] key, byte[] message) {
        try {
            boolean signing = wish[0].equals("sign");
            SM2Signer signer = new SM2Signer();
            CipherParameters holder = signing ? new ParametersWithRandom(holder(key), new SecureRandom())
                : new ECPublicKeyParameters(CURVE.getCurve().decodePoint(key), DOMAIN);
            signer.init(signing, new ParametersWithID(holder, Hex.decode(wish[1])));
            signer.update(message, 0, message.length);
            return signing ? Hex.toHexString(signer.generateSignature()) : "" + signer.verifySignature(Hex.decode(wish[2]));
        } catch (Exception error) {
            return "refused " + error;
        }
    }

    private static String answer(boolean encrypting, byte[] key, byte[] octets) {
        try {
            SM2Engine engine = new SM2Engine(SM2Engine.Mode.C1C3C2);
            engine.init(encrypting, encrypting ? receiver(key) : holder(key));
            return Hex.toHexString(engine.processBlock(octets, 0, octets.length));
        } catch (Exception error) {
            return "refused " + error;
        }
    }

    private static CipherParameters receiver(byte[] point) {
        return new ParametersWithRandom(new ECPublicKeyParameters(CURVE.getCurve().decodePoint(point), DOMAIN), new SecureRandom());
    }

    private static CipherParameters holder(byte[] scalar) {
        return new ECPrivateKeyParameters(new BigInteger(1, scalar), DOMAIN);
    }
}
