"""Networks of timm for zoo.py: each a name's beginning, of which the first model is taken."""
import torch

NAMES = """
resnet18 resnet50 resnet26d seresnet50 resnext50_32x4d res2net50_26w_4s resnest14d efficientnet_b0
efficientnetv2_rw_t mobilenetv2_100 mobilenetv3_large_100 mobilenetv4_conv_small convnext_tiny
convnextv2_atto regnety_004 densenet121 vgg11_bn vit_tiny_patch16 vit_small_patch16
deit_tiny_distilled_patch16 deit3_small_patch16 beit_base_patch16 eva02_tiny_patch14
swin_tiny_patch4_window7 swinv2_tiny_window8_256 mixer_s16 resmlp_12 gmlp_s16 cait_xxs24
xcit_nano_12_p16 coat_tiny coatnet_nano_rw pvt_v2_b0 twins_pcpvt_small levit_128s edgenext_xx_small
fastvit_t8 maxvit_tiny_tf efficientformer_l1 efficientformerv2_s0 efficientvit_b0 efficientvit_m0
ghostnet_100 ghostnetv2_100 repvgg_a0 mobileone_s0 repvit_m0_9 hrnet_w18_small inception_v3
inception_v4 xception41 dla34 nfnet_f0 eca_nfnet_l0 selecsls42 cspresnet50 ese_vovnet39b
poolformer_s12 mobilevit_xxs mobilevitv2_050 crossvit_tiny_240 pit_ti tnt_s_patch16 nest_tiny
visformer_tiny focalnet_tiny_srf davit_tiny gcvit_xxtiny mvitv2_tiny hiera_tiny volo_d1
convmixer_768_32 sequencer2d_s lambda_resnet26t halonet26t botnet26t_256 bat_resnext26ts lcnet_050
tinynet_e hgnetv2_b0 rdnet_tiny starnet_s1 shvit_s1 swiftformer_xs tiny_vit_5m nextvit_small
mambaout_femto samvit_base_patch16 naflexvit_base_patch16_gap vit_tiny_r_s16_p8
""".split()


def find(name):
    """The module and its image size: the smallest that it takes."""
    import timm
    known = [model for model in timm.list_models(name + "*")]
    model = name if name in known else min(known, key=len)
    made = timm.create_model(model, num_classes=10)
    default = made.default_cfg["input_size"][-1]
    for size in (64, 96, 128, default):
        if size > default:
            continue
        try:
            with torch.no_grad():
                made.eval()(torch.zeros(2, 3, size, size))
            return made, size
        except Exception:
            if size == default:
                raise
    return made, default


def make(name):
    model, size = find(name)
    return model, torch.randn(2, 3, size, size), torch.randn(3, 3, size, size)
